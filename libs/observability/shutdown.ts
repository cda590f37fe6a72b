import closeWithGrace from 'close-with-grace'
import type { Logger } from 'pino'

export interface ShutdownOptions {
  readonly logger: Logger
  /** How long all steps together may take before the process ends without them. Default 10,000. */
  readonly deadlineMs?: number
}

interface Step {
  readonly name: string
  readonly close: () => unknown
}

/** The orderly end of a process. */
export interface Shutdown {
  /** Adds a step. Steps run one after another, the last one added first: what was opened last is closed first. */
  onShutdown(name: string, close: () => unknown): void
  /** Ends the process as a signal would: exit code 0, or 1 where a step fails. */
  begin(): void
}

/**
 * Ends the process in order on SIGINT, SIGTERM and the like, and on an error that nobody caught. A step that fails does not keep the others from
 * running. The process ends with 0 when all went well, else with 1: a step failed, the deadline passed, a second signal came, or an error began it.
 * One for each process.
 */
export function createShutdown({ logger, deadlineMs = 10_000 }: ShutdownOptions): Shutdown {
  const steps: Step[] = []
  let current: string | undefined

  const closeAll = async ({ signal, err }: { signal?: string; err?: Error }): Promise<void> => {
    if (err === undefined) logger.info({ signal }, 'shutting down')
    else logger.fatal({ err }, 'shutting down because of an error that nobody caught')
    const failed: string[] = []
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      current = step.name
      if (!(await closes(step, logger))) failed.push(step.name)
    }
    if (failed.length > 0) throw new Error(`shut down, but not in order: ${failed.join(', ')} failed`)
    logger.info('shut down')
  }

  const { close } = closeWithGrace(
    {
      delay: deadlineMs,
      logger,
      onSecondSignal: (signal) => logger.error({ step: current }, `second ${signal}: ending at once`),
      onTimeout: () => logger.error({ step: current }, `not shut down within ${deadlineMs} ms: ending`),
    },
    closeAll,
  )
  return {
    onShutdown: (name, closeStep) => steps.push({ name, close: closeStep }),
    begin: close,
  }
}

async function closes({ name, close }: Step, logger: Logger): Promise<boolean> {
  try {
    await close()
    return true
  } catch (err) {
    logger.error({ err, step: name }, 'a step of the shutdown failed')
    return false
  }
}
