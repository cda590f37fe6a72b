import type { JobControl, OperationNotice, OperationProgress } from '#operations'

import type { Cli } from './cli.ts'
import { interruptible } from './interruption.ts'
import { printNotice } from './print.ts'
import { type PhaseLabels, ProgressPrinter } from './progress/progress-printer.ts'

interface JobOptions<Phase extends string> {
  readonly labels?: PhaseLabels<Phase>
  /** Prints no progress; default with `--json`. */
  readonly isQuiet?: boolean
  /** The process signals that end the job; default: Ctrl-C. */
  readonly signals?: readonly NodeJS.Signals[]
}

/**
 * Runs a job of libs/operations on this terminal: shows its progress, prints its notices, and ends it on Ctrl-C.
 * @param job receives a function that ends the shown progress, for a job that prints a result and then starts over.
 */
export async function runJob<Phase extends string, T>(
  { isJson }: Pick<Cli, 'isJson'>,
  job: (control: JobControl<Phase>, endProgress: () => void) => Promise<T>,
  { labels, isQuiet = isJson, signals }: JobOptions<Phase> = {},
): Promise<T> {
  const printer = isQuiet ? undefined : new ProgressPrinter(process.stderr, labels)
  try {
    return await interruptible((signal) => {
      const onNotice = (notice: OperationNotice) => printNotice(notice, isJson)
      const onProgress = (progress: OperationProgress<Phase>) => printer?.show(progress)
      return job({ signal, onNotice, onProgress }, () => printer?.end())
    }, signals)
  } finally {
    printer?.end()
  }
}
