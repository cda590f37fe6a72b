import { apiVersionsV3, Connection, metadataV12 } from '@platformatic/kafka'

import { rootMessage } from './kafka-errors.ts'
import { connectionOptions, type KafkaSettings, parseBroker } from './settings.ts'

const probeMs = 5_000
/** TLS alerts of a listener that asks for a client certificate. */
const certificateAlert = /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|HANDSHAKE_FAILURE)/

/**
 * Whether all configured brokers that answer reject a client without a login and without a certificate.
 * @throws Error when no broker can be reached, so that nothing is known
 */
export async function kafkaAsksForLogin(settings: KafkaSettings): Promise<boolean> {
  const tries = await Promise.allSettled(settings.brokers.map((broker) => askBroker(settings, broker)))
  const answers = tries.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []))
  const failed = tries.find((attempt) => attempt.status === 'rejected')
  if (answers.length === 0) throw failed?.reason as Error
  return answers.every((answer) => answer)
}

async function askBroker(settings: KafkaSettings, address: string): Promise<boolean> {
  const { host, port } = parseBroker(address)
  const connection = new Connection(settings.clientId, connectionOptions(anonymous(settings), host))
  // Reported by the request in flight.
  connection.on('error', () => undefined)
  let isBroker = false
  try {
    await connection.connect(host, port)
    // Every listener answers this request, also before a login.
    await apiVersionsV3.api.async(connection, 'annals', '1')
    isBroker = true
    await metadataV12.api.async(connection, [], false, false)
    return false
  } catch (error) {
    // A listener that asks for a login closes the connection at any other request.
    if (asksForCertificate(error) || (isBroker && !/time/i.test(rootMessage(error)))) return true
    throw new Error(`Kafka broker ${address} cannot be reached: ${rootMessage(error)}`, { cause: error })
  } finally {
    await connection.close()
  }
}

/** Without login and client certificate, but with the same authorities. */
function anonymous({ brokers, clientId, ssl = false }: KafkaSettings): KafkaSettings {
  const authorities = typeof ssl === 'object' && ssl.ca !== undefined ? { ca: ssl.ca } : ssl !== false
  return { brokers, clientId, ssl: authorities, requestTimeoutMs: probeMs, connectTimeoutMs: probeMs }
}

function asksForCertificate(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code = '' } = error as { code?: string }
  return certificateAlert.test(code) || asksForCertificate(error.cause)
}
