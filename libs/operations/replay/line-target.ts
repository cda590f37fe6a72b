import { formatPosition, type RecordedEvent } from '#domain'
import type { EventFormat } from '#event-log'
import { type FedEvent, isReadable } from '#event-log/records'
import type { StoredRecord } from '#kafka'

import { UnreadableError } from './unreadable-error.ts'
import type { LeftOut, OnWritten, ReplayTarget } from './replay-target.ts'

/** A destination of lines, written one chunk after the other. */
export interface LineOutput {
  /** Bytes written since the start of the file. */
  readonly bytes: number
  write(lines: Buffer): Promise<void>
  /** Resolves when the written lines survive a crash of the machine. */
  sync(): Promise<void>
  close(): Promise<void>
}

interface LineTargetOptions {
  readonly topic: string
  readonly format: Pick<EventFormat, 'decodeEach'>
  readonly line: (event: RecordedEvent) => string
  readonly output: LineOutput
  /** Whether to skip records that cannot be decoded, instead of failing. */
  readonly skipUnreadable: boolean
}

/** Decodes events and writes each as a line. */
export class LineTarget implements ReplayTarget {
  readonly #options: LineTargetOptions
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: LineTargetOptions) {
    this.#options = options
  }

  async write(partition: number, records: readonly StoredRecord[], onWritten: OnWritten): Promise<void> {
    const { topic, format, output, line } = this.#options
    const leftOut: LeftOut[] = []
    let lines = ''
    for (const event of await format.decodeEach(topic, partition, records)) {
      if (isReadable(event)) lines += `${line(event)}\n`
      else leftOut.push(this.#leaveOut(event))
    }
    await this.#inTurn(async () => {
      await output.write(Buffer.from(lines))
      onWritten({ events: records.length - leftOut.length, leftOut })
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

  /** Runs one write or save at a time, so that the size of the file always matches the progress. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    return turn
  }
}
