import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

import { repository } from '../../../scripts/stack/index.ts'
import type { CliEnd, Json } from './cli.ts'

/** A command that runs: it can be interrupted and killed. */
export interface CliProcess {
  readonly process: ChildProcessWithoutNullStreams
  readonly ended: Promise<CliEnd>
}

/** Starts the command line in a separate process. Its environment has no Annals settings except these. */
export function startCli(env: Readonly<Record<string, string>>, args: readonly string[]): CliProcess {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('ANNALS_'))
  const child = spawn(process.execPath, ['services/cli/main.ts', ...args], {
    cwd: repository,
    env: { ...Object.fromEntries(others), ...env },
  })
  return { process: child, ended: endOf(child) }
}

async function endOf(child: ChildProcessWithoutNullStreams): Promise<CliEnd> {
  const closed = once(child, 'close')
  // Who has read enough destroys the stream; what came before that is of no interest then.
  const [stdout, stderr] = await Promise.all([text(child.stdout).catch(() => ''), text(child.stderr)])
  const [exitCode] = (await closed) as [number | null]
  return { exitCode, stdout, stderr, json: () => JSON.parse(stdout) as Json }
}
