import { type Address, ask } from './probes.ts'

const metadataKey = 3
const version = 1
const correlationId = 1
const clientId = 'annals-health'

/**
 * The ids of the live brokers as the broker at this address reports them: one Metadata request without topics over a
 * plain socket, see https://kafka.apache.org/protocol. A broker that is starting, or is fenced, does not list itself.
 */
export async function liveBrokers(address: Address): Promise<number[]> {
  const answer = await ask(address, metadataRequest(), isWhole)
  return brokerIds(answer)
}

function metadataRequest(): Buffer {
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + clientId.length + 4)
  let at = request.writeInt32BE(request.length - 4)
  at = request.writeInt16BE(metadataKey, at)
  at = request.writeInt16BE(version, at)
  at = request.writeInt32BE(correlationId, at)
  at = request.writeInt16BE(clientId.length, at)
  at += request.write(clientId, at)
  request.writeInt32BE(0, at)
  return request
}

function isWhole(answer: Buffer): boolean {
  return answer.length >= 4 && answer.length >= 4 + answer.readInt32BE(0)
}

/** After length and correlation id: the number of brokers, and for each its id, host, port and rack. */
function brokerIds(answer: Buffer): number[] {
  const ids: number[] = []
  const count = answer.readInt32BE(8)
  let at = 12
  for (let broker = 0; broker < count; broker++) {
    ids.push(answer.readInt32BE(at))
    at = skipText(answer, at + 4) + 4
    at = skipText(answer, at)
  }
  return ids
}

function skipText(answer: Buffer, at: number): number {
  return at + 2 + Math.max(0, answer.readInt16BE(at))
}
