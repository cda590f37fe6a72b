import type { JobControl, OperationNotice, OperationProgress } from '#operations'

import type { Cli } from './cli.ts'
import { CommandError } from './failure.ts'
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
 * @param job receives a function that ends the shown progress, for a job that prints a result and then starts over. The connections
 *   of the job are opened in it too.
 * @throws CommandError `interrupted` if Ctrl-C ended the opening of connections, and what the job throws.
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
      return job({ signal, onNotice, onProgress }, () => printer?.end()).catch((error: unknown) => {
        throw signal.aborted && error === signal.reason ? notBegun(error) : error
      })
    }, signals)
  } finally {
    printer?.end()
  }
}

/** The signal of a job ended the opening of its connections. After that an abort is an outcome of the job. */
const notBegun = (cause: unknown): CommandError =>
  new CommandError(
    {
      ...{ exitCode: 130, code: 'interrupted' },
      message: 'interrupted before it began: nothing was changed. Run the same command again',
    },
    { cause },
  )
