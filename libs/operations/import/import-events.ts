import type { StreamId } from '#domain'

import { type EventLine, LineProblem } from './imported-line.ts'
import type { AppendedLines } from './stream-appender.ts'

/** Consecutive lines. A problem ends the window. */
interface Window {
  readonly lastLine: number
  readonly lines: readonly EventLine[]
  readonly problem?: LineProblem
}

export interface ImportCounts {
  appended: number
  /** Appended by an earlier run. */
  alreadyThere: number
  /** Skipped because an earlier line of their stream is wrong: order within a stream is kept. */
  heldBack: number
}

export interface ImportOptions {
  /** Lines per window; four windows are in flight at a time. */
  readonly batch: number
  readonly append: (streamId: StreamId, lines: readonly EventLine[]) => Promise<AppendedLines>
  /** @returns whether the import may continue. */
  readonly onProblem: (problem: LineProblem) => boolean
  /** Receives the last line up to which all lines are acknowledged and none was wrong. */
  readonly onAcknowledged: (line: number) => Promise<void>
  /** Receives the number of lines that were completed. */
  readonly onProgress: (lines: number) => void
  /** Ends the import after the appends in flight. */
  readonly signal: AbortSignal
}

const windowsMax = 4

/**
 * Appends lines in windows. The lines of one stream are appended together, and streams in parallel. Each stream has at most one append
 * in flight, so that its events keep the order of the file.
 */
export class EventImport {
  readonly counts: ImportCounts = { appended: 0, alreadyThere: 0, heldBack: 0 }
  readonly #options: ImportOptions
  /** The last append in flight of each stream. */
  readonly #tails = new Map<StreamId, Promise<void>>()
  /** Streams with a wrong line: their later lines are held back. */
  readonly #held = new Set<StreamId>()
  readonly #underWay: { readonly window: Window; readonly done: Promise<unknown> }[] = []
  #isSound = true
  #isStopped = false
  #failure: Error | undefined

  constructor(options: ImportOptions) {
    this.#options = options
  }

  /** @throws what `append` or the lines throw, after all appends in flight have ended. */
  async run(lines: AsyncIterable<EventLine | LineProblem>): Promise<ImportCounts> {
    try {
      for await (const window of windowsOf(lines, this.#options.batch)) {
        if (this.#isOver()) break
        this.#begin(window)
        if (this.#underWay.length === windowsMax) await this.#finishOldest()
      }
    } finally {
      while (this.#underWay.length > 0) await this.#finishOldest()
    }
    if (this.#failure !== undefined) throw this.#failure
    return this.counts
  }

  #isOver(): boolean {
    return this.#isStopped || this.#options.signal.aborted
  }

  #begin(window: Window): void {
    const { lines, problem } = window
    const byStream = Map.groupBy(lines, ({ streamId }) => streamId)
    const appends = [...byStream].map(([streamId, own]) => this.#queue(streamId, own))
    this.#underWay.push({ window, done: Promise.all(appends) })
    if (problem !== undefined) this.#report(problem)
  }

  #queue(streamId: StreamId, lines: readonly EventLine[]): Promise<void> {
    const tail = this.#tails.get(streamId)
    const appending =
      tail === undefined ? this.#append(streamId, lines) : tail.then(() => this.#append(streamId, lines))
    const next = appending.finally(() => {
      if (this.#tails.get(streamId) === next) this.#tails.delete(streamId)
    })
    this.#tails.set(streamId, next)
    return next
  }

  /** Never rejects: the failure of an append is kept until all others have ended. */
  async #append(streamId: StreamId, lines: readonly EventLine[]): Promise<void> {
    if (this.#isStopped) {
      this.#isSound = false
    } else if (this.#held.has(streamId)) {
      this.counts.heldBack += lines.length
    } else {
      await this.#options.append(streamId, lines).then(
        (appended) => {
          this.#count(appended, lines.length)
        },
        (error: unknown) => {
          this.#stop()
          this.#failure ??= error instanceof Error ? error : new Error(String(error))
        },
      )
    }
  }

  #count({ appended, alreadyThere, problem }: AppendedLines, all: number): void {
    this.counts.appended += appended
    this.counts.alreadyThere += alreadyThere
    if (problem === undefined) return
    this.counts.heldBack += all - appended - alreadyThere - 1
    this.#report(problem)
  }

  #report(problem: LineProblem): void {
    this.#isSound = false
    if (problem.streamId !== undefined) this.#held.add(problem.streamId)
    if (!this.#options.onProblem(problem)) this.#isStopped = true
  }

  #stop(): void {
    this.#isSound = false
    this.#isStopped = true
  }

  async #finishOldest(): Promise<void> {
    const oldest = this.#underWay.shift()
    if (oldest === undefined) return
    await oldest.done
    const { lines, lastLine } = oldest.window
    this.#options.onProgress(lines.length)
    if (this.#isSound) await this.#options.onAcknowledged(lastLine)
  }
}

async function* windowsOf(
  all: AsyncIterable<EventLine | LineProblem>,
  size: number,
): AsyncGenerator<Window, void> {
  let lines: EventLine[] = []
  let lastLine = 0
  for await (const line of all) {
    lastLine = line.line
    if (!(line instanceof LineProblem)) {
      if (lines.push(line) < size) continue
      yield { lastLine, lines }
    } else {
      yield { lastLine, lines, problem: line }
    }
    lines = []
  }
  if (lines.length > 0) yield { lastLine, lines }
}
