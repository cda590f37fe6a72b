import { formatPosition, type RecordedEvent } from '#domain'
import type { EventFormat } from '#event-log'
import { type FedEvent, isReadable } from '#event-log/records'
import type { StoredRecord } from '#kafka'

import { UnreadableError } from './replay-error.ts'
import type { LeftOut, ReplayTarget, Written } from './replay-target.ts'

/** Takes lines, one piece after the other. */
export interface LineOutput {
  /** Bytes written, from the beginning of the file. */
  readonly bytes: number
  write(lines: Buffer): Promise<void>
  /** Comes back when what is written outlives a crash of the machine. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface LineTargetOptions {
  readonly topic: string
  readonly format: Pick<EventFormat, 'decodeEach'>
  readonly line: (event: RecordedEvent) => string
  readonly output: LineOutput
  /** Whether to leave out what cannot be decoded, or to stop there. */
  readonly skipUnreadable: boolean
}

/** Decodes events and writes each as a line. */
export class LineTarget implements ReplayTarget {
  readonly #options: LineTargetOptions
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: LineTargetOptions) {
    this.#options = options
  }

  async write(
    partition: number,
    records: readonly StoredRecord[],
    written: (what: Written) => void,
  ): Promise<void> {
    const { topic, format, output, line } = this.#options
    const leftOut: LeftOut[] = []
    let lines = ''
    for (const event of await format.decodeEach(topic, partition, records)) {
      if (isReadable(event)) lines += `${line(event)}\n`
      else leftOut.push(this.#leaveOut(event))
    }
    await this.#inTurn(async () => {
      await output.write(Buffer.from(lines))
      written({ events: records.length - leftOut.length, leftOut })
    })
  }

  settle(save: (fileBytes: number) => Promise<void>): Promise<void> {
    const { output } = this.#options
    return this.#inTurn(async () => {
      await output.sync()
      await save(output.bytes)
    })
  }

  async close(): Promise<void> {
    await this.#turn
    await this.#options.output.close()
  }

  #leaveOut({ position, unreadable }: Exclude<FedEvent, RecordedEvent>): LeftOut {
    if (!this.#options.skipUnreadable) throw new UnreadableError(position, unreadable.message)
    return { position: formatPosition(position), reason: unreadable.message }
  }

  /** One after the other, so that the length of the file and what counts as written always belong together. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    return turn
  }
}
