import { Redis } from 'ioredis'

import { type RedisSettings, singleNodes } from './connection.ts'
import { IndexUnavailableError } from './errors.ts'

const probeMs = 5_000
/** Redis rejects a client that has not logged in, whose default user may do nothing, or (protected mode) that is not local. */
const rejection = /^(NOAUTH|NOPERM|DENIED)/
/** TLS alerts of a server that asks for a client certificate. */
const certificateAlert = /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|HANDSHAKE_FAILURE)/

/**
 * Whether all configured nodes that answer reject a client without a password and without a certificate.
 * @throws IndexUnavailableError when no node can be reached, so that nothing is known
 */
export async function redisAsksForLogin(settings: RedisSettings): Promise<boolean> {
  const nodes = singleNodes(settings)
  const tries = await Promise.allSettled(nodes.map((node) => askNode(node)))
  const answers = tries.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []))
  const failed = tries.find((attempt) => attempt.status === 'rejected')
  if (answers.length === 0) throw failed?.reason as Error
  return answers.every((answer) => answer)
}

type Node = ReturnType<typeof singleNodes>[number]

async function askNode({ host, port, tls }: Node): Promise<boolean> {
  const client = new Redis({
    ...{ host, port, tls, connectTimeout: probeMs, commandTimeout: probeMs },
    ...{ lazyConnect: true, enableReadyCheck: false, retryStrategy: () => null, maxRetriesPerRequest: 0 },
  })
  let lost: unknown
  client.on('error', (error) => (lost = error))
  try {
    await client.connect()
    await client.call('PING')
    return false
  } catch (error) {
    const cause = lost ?? error
    const { code = '', message } = cause as { code?: string; message: string }
    if (rejection.test(message) || certificateAlert.test(code)) return true
    throw new IndexUnavailableError(`Redis at ${host}:${port}: ${message}`, { cause })
  } finally {
    client.disconnect()
  }
}
