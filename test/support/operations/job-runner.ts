// A process that runs jobs like a service: without a terminal, without services/cli. test/support/operations/job-process.ts starts it.
import { createWriteStream } from 'node:fs'

import { loadConfig } from '#config'
import {
  domainOf,
  type JobControl,
  logOpener,
  type OperationProgress,
  runBackup,
  runReplay,
  verify,
} from '#operations'
import { withReadingBackends } from '#service'

import type { JobReport, JobRequest } from './job-process.ts'

const config = loadConfig(process.env)

type Job = (request: JobRequest, control: JobControl) => Promise<object>

const jobs: Readonly<Record<JobRequest['job'], Job>> = {
  async backup({ path }, control) {
    const source = { domain: await domainOf(config), openLog: logOpener(config) }
    return runBackup(source, { folder: path, types: [], isFull: false }, control)
  },
  verify: (_, control) =>
    withReadingBackends(config, (backends) =>
      verify(config, backends, { types: [], parts: ['log', 'index'], seed: '', findingsMax: 10 }, control),
    ),
  replay: ({ path, aggregateType = '', rate, resume = false }, control) =>
    runReplay(
      { config, lines: createWriteStream('/dev/null') },
      {
        ...{ aggregateType, resume, overwrite: false, dryRun: false, skipUnreadable: false },
        ...{ parallel: 1, timeoutMs: 30_000, checkpoint: `${path}.checkpoint`, filter: {} },
        bounds: { partitions: [], fromOffsets: new Map(), untilOffsets: new Map() },
        destination: { kind: 'file', path, format: 'ndjson' },
        ...(rate !== undefined && { rate }),
      },
      control,
    ),
}

async function run(request: JobRequest): Promise<JobReport> {
  const leaving = new AbortController()
  const progress: OperationProgress[] = []
  let abortedMs: number | undefined
  const onProgress = (now: OperationProgress): never => {
    progress.push(now)
    if (request.isAborted === true && abortedMs === undefined && now.done > 0) {
      abortedMs = performance.now()
      leaving.abort()
    }
    throw new Error('an error of a progress callback must not reach the job')
  }
  const outcome = await jobs[request.job](request, { onProgress, signal: leaving.signal })
  const endedMs = performance.now()
  return { outcome, progress, ...(abortedMs !== undefined && { abortMs: endedMs - abortedMs }) }
}

const requests = JSON.parse(process.argv[2] ?? '[]') as readonly JobRequest[]
for (const request of requests) process.stdout.write(`${JSON.stringify(await run(request))}\n`)
