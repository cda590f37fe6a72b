import type { JobControl } from '#operations'

import type { Cli } from './cli.ts'
import { interruptible } from './interruption.ts'
import { printNotice } from './print.ts'
import { type PhaseLabels, ProgressPrinter } from './progress/progress-printer.ts'

export interface JobOptions<Phase extends string> {
  readonly labels?: PhaseLabels<Phase>
  /** Prints no progress, as with `--json`. */
  readonly isQuiet?: boolean
  /** What ends the job; Ctrl-C unless given. */
  readonly signals?: readonly NodeJS.Signals[]
}

/** Runs a job of libs/operations on this terminal: draws its progress, prints its notices, and ends it on Ctrl-C. */
export async function runJob<Phase extends string, T>(
  { isJson }: Pick<Cli, 'isJson'>,
  job: (control: JobControl<Phase>) => Promise<T>,
  { labels, isQuiet = isJson, signals }: JobOptions<Phase> = {},
): Promise<T> {
  const printer = isQuiet ? undefined : new ProgressPrinter(process.stderr, labels)
  try {
    return await interruptible(
      (signal) =>
        job({
          signal,
          onNotice: (notice) => printNotice(notice, isJson),
          ...(printer !== undefined && { onProgress: (progress) => printer.show(progress) }),
        }),
      signals,
    )
  } finally {
    printer?.end()
  }
}
