import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

import { repository } from '../../../scripts/stack/index.ts'

/** What a command printed and how it ended. */
export interface CliEnd {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  /** What `--json` printed. @throws Error unless that was one document */
  readonly json: () => Json
}

export type Json = Readonly<Record<string, unknown>>

export type RunCli = (args: readonly string[], stdin?: string) => Promise<CliEnd>

const main = 'services/cli/main.ts'

/** Runs the command line in a separate process. Its environment has no Annals settings except these. @param program default: Node with main.ts */
export function cliWith(env: Readonly<Record<string, string>>, program?: string): RunCli {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('ANNALS_'))
  const clean = { ...Object.fromEntries(others), ...env }
  return async (args, stdin = '') => {
    const child = spawn(program ?? process.execPath, [...(program === undefined ? [main] : []), ...args], {
      cwd: repository,
      env: clean,
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(stdin)
    const ended = once(child, 'close')
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
    const [exitCode] = (await ended) as [number | null]
    return { exitCode, stdout, stderr, json: () => JSON.parse(stdout) as Json }
  }
}
