import type { Translate } from './link.ts'

const host = Buffer.from('127.0.0.1')

/**
 * Rewrites the broker addresses in responses. Brokers advertise themselves and each other; each client gets its own
 * links instead, so that it stays on them. Host and port are adjacent in every response that names a broker, in all
 * versions.
 * @param ports of links by the ports of brokers
 */
export function kafkaAnswers(ports: ReadonlyMap<number, number>): Translate {
  let waiting = Buffer.alloc(0)
  return (bytes) => {
    waiting = Buffer.concat([waiting, bytes])
    let whole = 0
    // A response starts with its length. Only complete ones are forwarded, so that no address is split.
    while (waiting.length >= whole + 4 && waiting.length >= whole + 4 + waiting.readInt32BE(whole))
      whole += 4 + waiting.readInt32BE(whole)
    const answers = waiting.subarray(0, whole)
    waiting = waiting.subarray(whole)
    replacePorts(answers, ports)
    return answers
  }
}

function replacePorts(answers: Buffer, ports: ReadonlyMap<number, number>): void {
  for (let at = answers.indexOf(host); at >= 0; at = answers.indexOf(host, at + 1)) {
    const portAt = at + host.length
    if (portAt + 4 > answers.length) return
    const port = ports.get(answers.readInt32BE(portAt))
    if (port !== undefined) answers.writeInt32BE(port, portAt)
  }
}
