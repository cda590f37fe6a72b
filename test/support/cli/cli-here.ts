import { vi } from 'vitest'

import { runCli } from '../../../services/cli/run-cli.ts'
import type { Installation } from '../services/real-writer.ts'
import type { Json, RunCli } from './cli.ts'

/** Runs the command line in this process, one command at a time. A separate process takes ten times as long. */
export const cliHere =
  (env: Readonly<Record<string, string>>): RunCli =>
  async (args, stdin) => {
    if (stdin !== undefined) throw new Error('standard input needs a separate process: cliWith')
    const stdout: string[] = []
    const stderr: string[] = []
    const spies = [
      vi.spyOn(console, 'log').mockImplementation((line: string) => void stdout.push(`${line}\n`)),
      vi.spyOn(console, 'error').mockImplementation((line: string) => void stderr.push(`${line}\n`)),
      vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => stderr.push(String(chunk)) > 0),
    ]
    const exitCode = await runCli(args, env)
    spies.forEach((spy) => spy.mockRestore())
    const printed = stdout.join('')
    return { exitCode, stdout: printed, stderr: stderr.join(''), json: () => JSON.parse(printed) as Json }
  }

/** Runs the command line in this process, with the settings of an installation. */
export const annalsOf = ({ env }: Installation): RunCli => cliHere(env)
