import type { EventCheck } from '#schemas'
import { type EventStore, EventStoreError } from '#event-store'

import { type JobControl, PhaseProgress } from '../job-control.ts'
import { checkEvents, type FileContents, withSchemas } from './check-events.ts'
import { ImportCheckpoint, importFingerprint } from './checkpoint.ts'
import { idScheme } from './event-ids.ts'
import { EventImport, type ImportCounts } from './import-events.ts'
import { type DraftLine, type EventLine, LineProblem } from './imported-line.ts'
import { ProblemLog } from './problem-log.ts'
import { sizeOf } from '../open-file.ts'
import { type EventFile, identified, readDrafts } from './read-events.ts'
import { StreamAppender } from './stream-appender.ts'

export interface ImportRequest {
  readonly from: EventFile
  /** Undefined: only the shape of lines is checked. */
  readonly check: EventCheck | undefined
  readonly isDryRun: boolean
  /** Lines per batch. */
  readonly batch: number
  /** This many wrong lines end the import. */
  readonly errorsMax: number
  /** Path of the file for problems. */
  readonly report: string | undefined
  /** Path of the file for the progress. */
  readonly checkpoint: string | undefined
}

/** The store that events are appended to. A dry run does not use it. */
export type ImportStore = Pick<EventStore, 'append' | 'read'>

/** `checking`: checks the lines, progress in bytes. `appending`: appends their events. */
export type ImportControl = JobControl<'checking' | 'appending'>

/**
 * `checked`: a dry run. `refused`: too many lines are wrong, and nothing was appended. `stopped`: too many events were rejected.
 * `interrupted`: the signal aborted. `done`: all lines were appended except wrong ones.
 */
export type ImportEnd = 'done' | 'checked' | 'refused' | 'stopped' | 'interrupted'

export interface ImportOutcome extends Readonly<ImportCounts> {
  readonly status: ImportEnd
  readonly contents: FileContents
  /** Events before the checkpoint, which an earlier run appended. */
  readonly skipped: number
  readonly problemCount: number
  /** The first problems. */
  readonly problems: readonly LineProblem[]
  /** The time of appending. */
  readonly tookMs: number
  /** All lines up to this one are acknowledged. */
  readonly line: number
}

/**
 * Checks all lines, then appends their events unless too many lines are wrong.
 * @throws OperationError for files; EventStoreError that no line caused, with the number of events appended before it.
 */
export async function runImport(
  store: ImportStore,
  request: ImportRequest,
  control: ImportControl,
): Promise<ImportOutcome> {
  // An import that is aborted before it begins keeps the report of an earlier one.
  const problems = new ProblemLog(control.signal.aborted ? undefined : request.report)
  try {
    return await new ImportRun(store, request, control, problems).run()
  } finally {
    problems.close()
  }
}

class ImportRun {
  readonly #store: ImportStore
  readonly #request: ImportRequest
  readonly #control: ImportControl
  readonly #problems: ProblemLog
  #skipped = 0
  #line = 0

  constructor(store: ImportStore, request: ImportRequest, control: ImportControl, problems: ProblemLog) {
    this.#store = store
    this.#request = request
    this.#control = control
    this.#problems = problems
  }

  async run(): Promise<ImportOutcome> {
    const { from, isDryRun, errorsMax } = this.#request
    const checkpoint = await this.#openCheckpoint()
    const contents = await this.#check()
    if (this.#control.signal.aborted) return this.#outcome('interrupted', contents)
    if (isDryRun) return this.#outcome('checked', contents)
    if (this.#problems.count >= errorsMax) return this.#outcome('refused', contents)
    return this.#append(contents, new StreamAppender(this.#store, from.importId), checkpoint)
  }

  async #check(): Promise<FileContents> {
    const { signal } = this.#control
    const size = await sizeOf(this.#request.from.file)
    const progress = new PhaseProgress(this.#control, { phase: 'checking', unit: 'bytes' }, size)
    const onProblem = (problem: LineProblem) => {
      this.#problems.add(problem)
    }
    const onBytes = (bytes: number) => {
      progress.advance(bytes)
    }
    return checkEvents(this.#drafts(onBytes), { onProblem, signal })
  }

  #drafts(onBytes?: (bytes: number) => void): AsyncGenerator<DraftLine | LineProblem, void> {
    return withSchemas(readDrafts(this.#request.from, onBytes), this.#request.check)
  }

  #lines(): AsyncGenerator<EventLine | LineProblem, void> {
    const { from, check } = this.#request
    return identified(withSchemas(readDrafts(from), check, this.#problems.count === 0), from.source)
  }

  async #openCheckpoint(): Promise<ImportCheckpoint | undefined> {
    const { checkpoint, from, isDryRun } = this.#request
    if (checkpoint === undefined || isDryRun) return undefined
    const { file, mapping, source, renamed, importId, idPrefix } = from
    // After a release an interrupted import may need another schema version. The version does not change the ids of events.
    const spec = mapping && { ...mapping.spec, schemaVersion: undefined }
    const rest = { ids: idScheme, mapping: spec, source, renamed: [...renamed], importId, idPrefix }
    const opened = await ImportCheckpoint.open(checkpoint, await importFingerprint(file, rest))
    this.#line = opened.line
    return opened
  }

  async #append(
    contents: FileContents,
    appender: StreamAppender,
    checkpoint: ImportCheckpoint | undefined,
  ): Promise<ImportOutcome> {
    const startMs = performance.now()
    const what = { phase: 'appending', unit: 'events' } as const
    const progress = new PhaseProgress(this.#control, what, contents.events)
    const onSkipped = (line: EventLine) => {
      appender.recall(line)
      progress.resume(1)
    }
    const run = new EventImport({
      batch: this.#request.batch,
      append: (streamId, lines) => appender.append(streamId, lines),
      onProblem: this.#takeNote(),
      onAcknowledged: async (line) => {
        this.#line = line
        await checkpoint?.reach(line)
      },
      onProgress: (lines) => {
        progress.advance(lines)
      },
      signal: this.#control.signal,
    })
    try {
      await run.run(this.#behind(checkpoint?.line ?? 0, onSkipped))
    } catch (error) {
      throw withProgress(error, run.counts)
    } finally {
      await checkpoint?.save()
    }
    return this.#outcome(this.#endOf(), contents, run.counts, performance.now() - startMs)
  }

  /**
   * Yields the lines after the checkpoint. Lines before it are read too: ids depend on the number of equal lines before, and streams with
   * known events do not have to be read.
   */
  async *#behind(
    line: number,
    onSkipped: (line: EventLine) => void,
  ): AsyncGenerator<EventLine | LineProblem, void> {
    for await (const each of this.#lines()) {
      if (each.line > line) {
        yield each
      } else if (!(each instanceof LineProblem)) {
        this.#skipped += 1
        onSkipped(each)
      }
    }
  }

  /** Counts each problem once: wrong lines of the check occur again while appending. */
  #takeNote(): (problem: LineProblem) => boolean {
    const reported = new Set(this.#problems.first.map(({ line }) => line))
    return (problem) => {
      if (!reported.has(problem.line)) this.#problems.add(problem)
      return this.#problems.count < this.#request.errorsMax
    }
  }

  #endOf(): ImportEnd {
    if (this.#problems.count >= this.#request.errorsMax) return 'stopped'
    return this.#control.signal.aborted ? 'interrupted' : 'done'
  }

  #outcome(status: ImportEnd, contents: FileContents, counts = noCounts, tookMs = 0): ImportOutcome {
    return {
      ...counts,
      ...{ status, contents, tookMs, skipped: this.#skipped, line: this.#line },
      problemCount: this.#problems.count,
      problems: this.#problems.first,
    }
  }
}

const noCounts: ImportCounts = { appended: 0, alreadyThere: 0, heldBack: 0 }

const grouped = (count: number): string => count.toLocaleString('en-US')

/** Adds to an error the number of events appended before it. */
function withProgress(error: unknown, { appended, alreadyThere }: ImportCounts): unknown {
  if (!(error instanceof EventStoreError)) return error
  const { code, message, details, cause } = error
  const progress = `${grouped(appended)} events were appended before it, ${grouped(alreadyThere)} already existed. Run the same command again to resume: no event is appended twice`
  return new EventStoreError(code, `${message}. ${progress}`, details, { cause })
}
