import { setTimeout as sleep } from 'node:timers/promises'
import { keep, type KeptProcess, signal } from './keeper-client.ts'
import type { Exit, ServerCommand } from './keeper-protocol.ts'
import { lastLines, rotateLog } from './log-file.ts'
import { StackError } from './stack-error.ts'
import { until } from './until.ts'

const startMsMax = 90_000
const stopMsMax = 15_000
const shownLines = 15

/** Takes one line of progress for a person. */
export type Report = (line: string) => void

export interface ServerOptions extends ServerCommand {
  /** As people know it: `Kafka`. */
  readonly name: string
  /** True once it serves; may throw while it does not. */
  readonly healthy: () => Promise<boolean>
  readonly report?: Report | undefined
  /** Gives up the start, and ends what was started. */
  readonly signal?: AbortSignal
  /** Called with its pid once the process runs, long before it may be healthy. */
  readonly spawned?: ((pid: number) => void) | undefined
  /** What makes it stop by itself, cleanly; SIGTERM unless told otherwise. */
  readonly stopSignal?: NodeJS.Signals
}

/** A server that runs and serves. */
export interface Server {
  readonly name: string
  readonly pid: number
  readonly logFile: string
  readonly exited: Promise<Exit>
  kill(signal: NodeJS.Signals): void
  /** Ends it: politely first, after 15 s by SIGKILL. Returns when the process is gone. */
  stop(): Promise<void>
}

/**
 * Starts a server and waits until it is healthy. It ends with this process, see {@link keep}.
 * @throws StackError with the last lines of its log, when it ends or does not get healthy within 90 s
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
      // Nobody is to be asked any more once the process is gone.
      until(`${name} gets healthy`, startMsMax, () => over || options.healthy()),
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
  // A pid whose process is gone may belong to somebody else.
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

/** The same error with the end of the server's log, which mostly says why. */
export function withLog(error: Error, logFile: string): StackError {
  const lines = lastLines(logFile, shownLines).map((line) => `    ${line}`)
  return new StackError(`${error.message}\n  the end of ${logFile}:\n${lines.join('\n')}`, 1, {
    cause: error,
  })
}
