import closeWithGrace from 'close-with-grace'
import type { Logger } from 'pino'

interface ShutdownOptions {
  readonly logger: Logger
  /** How long all steps together may take before the process exits without them. Default 10,000. */
  readonly deadlineMs?: number
}

interface Step {
  readonly name: string
  readonly close: () => unknown
}

/** The orderly shutdown of a process. */
interface Shutdown {
  /** Adds a step. Steps run one after another in reverse order: what was opened last is closed first. */
  onShutdown(name: string, close: () => unknown): void
  /** Shuts the process down as a signal would: exit code 0, or 1 when a step fails. */
  begin(): void
}

/**
 * Shuts the process down in order on SIGINT, SIGTERM and similar signals, and on an uncaught error. A failing step
 * does not prevent the others. The exit code is 0 on success. It is 1 when a step failed, the deadline passed, a
 * second signal arrived or an error caused the shutdown. Create one per process.
 */
export function createShutdown({ logger, deadlineMs = 10_000 }: ShutdownOptions): Shutdown {
  const steps: Step[] = []
  let current: string | undefined

  const closeAll = async ({ signal, err }: { signal?: string; err?: Error }): Promise<void> => {
    if (err === undefined) logger.info({ signal }, 'shutting down')
    else logger.fatal({ err }, 'shutting down because of an uncaught error')
    const failed: string[] = []
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      current = step.name
      if (!(await closes(step, logger))) failed.push(step.name)
    }
    if (failed.length > 0) throw new Error(`the shutdown was incomplete: ${failed.join(', ')} failed`)
    logger.info('shut down')
  }

  const { close } = closeWithGrace(
    {
      delay: deadlineMs,
      logger,
      onSecondSignal: (signal) => logger.error({ step: current }, `second ${signal}: exiting at once`),
      onTimeout: () => logger.error({ step: current }, `not shut down within ${deadlineMs} ms: exiting`),
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
