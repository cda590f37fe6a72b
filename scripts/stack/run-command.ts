import { spawn } from 'node:child_process'
import { StackError } from './stack-error.ts'

const shownCharacters = 3000

interface CommandOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly user?: { readonly uid: number; readonly gid: number }
  /** Whether the files it writes are private to this user. */
  readonly isPrivate?: boolean
  /** What it reads from its standard input; default: nothing. */
  readonly input?: string
  readonly timeoutMs: number
  /** Ends the program when aborted. */
  readonly signal?: AbortSignal
}

/**
 * Runs a program to its end, without a terminal, and returns its output. What must not appear in a list of processes or in an error
 * goes into `input` or `env`.
 * @throws StackError with the end of its output when it fails, cannot be started, or takes longer than `timeoutMs`
 */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<string> {
  const { timeoutMs, env, user, cwd, signal, input = '', isPrivate = false } = options
  return new Promise((resolve, reject) => {
    const start = () =>
      spawn(command, args, {
        cwd,
        ...user,
        env: { ...process.env, ...env },
        stdio: 'pipe',
        timeout: timeoutMs,
        signal,
      })
    const child = isPrivate ? withPrivateUmask(start) : start()
    let output = ''
    const take = (chunk: Buffer) => (output += chunk.toString('utf8'))
    // A program that ends without reading its input breaks the pipe; its exit code says more.
    child.stdin.on('error', () => undefined).end(input)
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.once('error', (error) => reject(new StackError(`Cannot run ${command}: ${error.message}`)))
    child.once('close', (code, endedBy) => {
      if (code === 0) {
        resolve(output)
        return
      }
      const how = endedBy === null ? `exit code ${String(code)}` : `ended by ${endedBy}`
      const line = [command, ...args].join(' ')
      reject(new StackError(`${line}: ${how}\n${output.trimEnd().slice(-shownCharacters)}`))
    })
  })
}

/** A child process inherits the umask of its parent at this moment. */
function withPrivateUmask<T>(start: () => T): T {
  const before = process.umask(0o077)
  try {
    return start()
  } finally {
    process.umask(before)
  }
}
