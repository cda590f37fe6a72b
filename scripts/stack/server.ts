import { setTimeout as sleep } from 'node:timers/promises'
import { keep, type KeptProcess, signal } from './keeper-client.ts'
import type { Exit, ServerCommand } from './keeper-protocol.ts'
import { lastLines, rotateLog } from './log-file.ts'
import { StackError } from './stack-error.ts'
import { until } from './until.ts'

const startMsMax = 90_000
const stopMsMax = 15_000
const shownLines = 15

/** Receives a line of progress for the terminal. */
export type Report = (line: string) => void

export interface ServerOptions extends ServerCommand {
  /** Its display name: `Kafka`. */
  readonly name: string
  /** True once it serves; may throw before that. */
  readonly healthy: () => Promise<boolean>
  readonly report?: Report | undefined
  /** Aborts the start, and ends what was started. */
  readonly signal?: AbortSignal
  /** Called with its pid once the process runs, which may be long before it is healthy. */
  readonly spawned?: ((pid: number) => void) | undefined
  /** The signal for a clean stop; default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals
}

/** A running server. */
export interface Server {
  readonly name: string
  readonly pid: number
  readonly logFile: string
  readonly exited: Promise<Exit>
  kill(signal: NodeJS.Signals): void
  /** Ends it: with its stop signal first, after 15 s with SIGKILL. Returns when the process has ended. */
  stop(): Promise<void>
}

/**
 * Starts a server and waits until it is healthy. It ends with this process, see {@link keep}.
 * @throws StackError with the last lines of its log, when it exits or does not become healthy within 90 s
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { name, logFile, report, signal } = options
  signal?.throwIfAborted()
  rotateLog(logFile)
  const startedAt = performance.now()
  const { command, args, cwd, env, user } = options
  const kept = await keep({ command, args, cwd, logFile, ...(env && { env }), ...(user && { user }) })
  options.spawned?.(kept.pid)
  const server = asServer(options, kept)
  let over = false
  void kept.exited.then(() => (over = true))
  signal?.addEventListener('abort', () => server.kill('SIGTERM'), { once: true })
  try {
    signal?.throwIfAborted()
    await Promise.race([
      kept.exited.then((exit) => {
        throw new StackError(`${name} ended while starting (${describe(exit)})`)
      }),
      // No probe is sent once the process has ended.
      until(`${name} becomes healthy`, startMsMax, () => over || options.healthy()),
    ])
  } catch (error) {
    await server.stop()
    throw withLog(error as Error, logFile)
  }
  report?.(`${name} is up (${((performance.now() - startedAt) / 1000).toFixed(1)} s, pid ${kept.pid})`)
  return server
}

function asServer({ name, logFile, stopSignal = 'SIGTERM' }: ServerOptions, kept: KeptProcess): Server {
  let gone = false
  void kept.exited.then(() => (gone = true))
  // After the process has ended, another one may have its pid.
  const kill = (name: NodeJS.Signals) => gone || signal(kept.pid, name)
  return {
    name,
    pid: kept.pid,
    logFile,
    exited: kept.exited,
    kill,
    stop: async () => {
      kill(stopSignal)
      kill('SIGCONT')
      const patience = new AbortController()
      await Promise.race([
        kept.exited,
        sleep(stopMsMax, undefined, { signal: patience.signal }).catch(() => undefined),
      ])
      patience.abort()
      kill('SIGKILL')
      await kept.exited
    },
  }
}

/** How a process ended, in words. */
export function describe({ code, signal }: Exit): string {
  return signal === null ? `exit code ${String(code)}` : signal
}

/** The error with the end of the server's log, which usually explains it. */
export function withLog(error: Error, logFile: string): StackError {
  const lines = lastLines(logFile, shownLines).map((line) => `    ${line}`)
  return new StackError(`${error.message}\n  the end of ${logFile}:\n${lines.join('\n')}`, 1, {
    cause: error,
  })
}
