import { closeSync, openSync, writeSync } from 'node:fs'

import { writeFailure } from '../file-failure.ts'
import type { LineProblem } from './imported-line.ts'
import { privateFile } from '../private-files.ts'

/** The maximum of problems kept in memory; the report file gets all of them. */
export const problemsKeptMax = 1_000

/** Problems of lines. All are counted and written to the report file, one JSON document per line; the first ones are kept in memory. */
export class ProblemLog {
  count = 0
  readonly first: LineProblem[] = []
  readonly #report: { readonly file: string; readonly descriptor: number } | undefined

  /** @throws OperationError if the report file cannot be written. */
  constructor(report: string | undefined) {
    this.#report =
      report === undefined
        ? undefined
        : { file: report, descriptor: written(report, () => openSync(report, 'w', privateFile)) }
  }

  add(problem: LineProblem): void {
    this.count += 1
    if (this.first.length < problemsKeptMax) this.first.push(problem)
    if (this.#report === undefined) return
    const { file, descriptor } = this.#report
    written(file, () => writeSync(descriptor, `${JSON.stringify(problem)}\n`))
  }

  close(): void {
    if (this.#report !== undefined) closeSync(this.#report.descriptor)
  }
}

function written<T>(file: string, write: () => T): T {
  try {
    return write()
  } catch (error) {
    throw writeFailure(file, error)
  }
}
