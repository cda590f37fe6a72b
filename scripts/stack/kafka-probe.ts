import type { Login } from './login.ts'
import { type Address, ask } from './probes.ts'

// Kafka's numbers of requests, each with the version that is sent here.
const metadata = { key: 3, version: 1 }
const saslHandshake = { key: 17, version: 1 }
const saslAuthenticate = { key: 36, version: 0 }
const correlationId = 1
const clientId = 'annals-health'

/**
 * The ids of the live brokers as the broker at this address reports them: one Metadata request without topics over a
 * plain socket, see https://kafka.apache.org/protocol. A broker that is starting, or is fenced, does not list itself.
 * @param login sent before the request, by PLAIN
 * @throws Error when the broker rejects the login
 */
export async function liveBrokers(address: Address, login?: Login): Promise<number[]> {
  const requests = [...(login === undefined ? [] : loginRequests(login)), request(metadata, int32(0))]
  // The broker answers in order, so that no request needs to wait for the answer to the one before.
  const answers = await ask(address, Buffer.concat(requests), (answer) =>
    isWhole(framesOf(answer), requests.length),
  )
  const frames = framesOf(answers)
  if (frames.length < requests.length) throw new Error(`${address.host}:${address.port} rejects the login`)
  return brokerIds(frames.at(-1) ?? Buffer.alloc(12))
}

function loginRequests({ user, password }: Login): Buffer[] {
  const token = Buffer.from(`\0${user}\0${password}`)
  return [
    request(saslHandshake, text('PLAIN')),
    request(saslAuthenticate, Buffer.concat([int32(token.length), token])),
  ]
}

function request({ key, version }: typeof metadata, body: Buffer): Buffer {
  const content = Buffer.concat([int16(key), int16(version), int32(correlationId), text(clientId), body])
  return Buffer.concat([int32(content.length), content])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([int16(bytes.length), bytes])
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** The complete responses, each with its length. */
function framesOf(answer: Buffer): Buffer[] {
  const frames: Buffer[] = []
  let at = 0
  while (answer.length >= at + 4 && answer.length >= at + 4 + answer.readInt32BE(at)) {
    const end = at + 4 + answer.readInt32BE(at)
    frames.push(answer.subarray(at, end))
    at = end
  }
  return frames
}

/** A rejected login has no further response. */
function isWhole(frames: readonly Buffer[], count: number): boolean {
  return frames.length === count || frames.slice(0, count - 1).some((frame) => frame.readInt16BE(8) !== 0)
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
