import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

import type { OperationProgress } from '#operations'

import { repository } from '../../../scripts/stack/index.ts'
import type { Installation } from '../services/real-writer.ts'

/** A job for {@link runJobs}. */
export interface JobRequest {
  readonly job: 'backup' | 'verify' | 'replay'
  /** A folder of backups, or the file of a replay. */
  readonly path: string
  readonly aggregateType?: string
  readonly rate?: number
  readonly resume?: boolean
  /** Aborts as soon as something is done. */
  readonly isAborted?: boolean
}

export interface JobReport {
  readonly outcome: object
  readonly progress: readonly OperationProgress[]
  /** From the abort to the outcome. */
  readonly abortMs?: number
}

/** Runs jobs one after another in a process in a new session: it has no terminal, and its standard input is closed. */
export async function runJobs(
  { env }: Installation,
  requests: readonly JobRequest[],
): Promise<readonly JobReport[]> {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('ANNALS_'))
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=TimeoutNegativeWarning',
      'test/support/operations/job-runner.ts',
      JSON.stringify(requests),
    ],
    {
      cwd: repository,
      env: { ...Object.fromEntries(others), ...env },
      // A new session: there is no controlling terminal that the process could open.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const ended = once(child, 'close')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [exitCode] = (await ended) as [number | null]
  if (exitCode !== 0 || stderr !== '') throw new Error(`exit code ${exitCode}: ${stderr}`)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JobReport)
}
