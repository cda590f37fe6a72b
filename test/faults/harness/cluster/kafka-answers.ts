import type { Translate } from './link.ts'

const host = Buffer.from('127.0.0.1')

/**
 * Brokers tell clients where they and the others are. Here each client hears of the links that lead there instead, so that it
 * stays on its own links. Host and port stand side by side in all answers that name a broker, in all their versions.
 * @param ports of links by those of the brokers.
 */
export function kafkaAnswers(ports: ReadonlyMap<number, number>): Translate {
  let waiting = Buffer.alloc(0)
  return (bytes) => {
    waiting = Buffer.concat([waiting, bytes])
    let whole = 0
    // An answer starts with its length; only a whole one is passed on, so that no address is torn apart.
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
