import { spawn } from 'node:child_process'

/** How a program ended, and its output if that was kept. */
export interface Outcome {
  /** Also 1 when a signal ended it. */
  readonly exitCode: number
  readonly output: string
}

interface ProgramOptions {
  readonly cwd: string
  readonly timeoutMs: number
  /** `show` forwards its output as it arrives, `keep` returns it. */
  readonly output: 'show' | 'keep'
}

/** Runs a program without standard input to its end. After `timeoutMs` it is killed and counts as failed. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<Outcome> {
  const { cwd, timeoutMs } = options
  const shown = options.output === 'show' ? 'inherit' : 'pipe'
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, timeout: timeoutMs, stdio: ['ignore', shown, shown] })
    let output = ''
    const take = (chunk: Buffer) => (output += chunk.toString('utf8'))
    child.stdout?.on('data', take)
    child.stderr?.on('data', take)
    child.once('error', reject)
    child.once('close', (code) => resolve({ exitCode: code ?? 1, output }))
  })
}
