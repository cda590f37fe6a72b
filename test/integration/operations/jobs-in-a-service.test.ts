import { readdirSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import {
  backupsIn,
  filledInstallation,
  heavyInstallation,
  testFolder,
} from '../../support/operations/backup-source.ts'
import { type JobReport, runJobs } from '../../support/operations/job-process.ts'
import { eventsInFile } from '../../support/operations/replayed.ts'

const events = 100
const promptMs = 5_000

const lastOf = ({ progress }: JobReport | undefined = { outcome: {}, progress: [] }) => progress.at(-1)

test('a process without a terminal runs a backup, a verification and a replay', async () => {
  const where = await filledInstallation()
  const folder = join(testFolder(), 'backups')
  const file = join(testFolder(), 'events.ndjson')
  const [backup, verification, replay] = await runJobs(where, [
    { job: 'backup', path: folder },
    { job: 'verify', path: '' },
    { job: 'replay', path: file, aggregateType: where.type },
  ])
  expect(backup?.outcome).toMatchObject({ status: 'made', warnings: [], manifest: { kind: 'full', events } })
  expect(backup?.progress[0]).toMatchObject({ phase: 'reading', unit: 'events', done: 0 })
  expect(lastOf(backup)).toMatchObject({ done: events })
  expect(backupsIn(folder)).toHaveLength(1)

  const findings = { total: 0, kept: [] }
  expect(verification?.outcome).toMatchObject({ status: 'compared', findings, counts: { events } })
  expect(lastOf(verification)).toMatchObject({ phase: 'comparing', unit: 'offsets' })
  expect(lastOf(verification)?.done).toBeGreaterThanOrEqual(events)

  expect(replay?.outcome).toMatchObject({ status: 'done', counts: { replayed: events, leftOut: 0 } })
  expect(lastOf(replay)?.done).toBe(lastOf(replay)?.total)
  expect(eventsInFile(file)).toHaveLength(events)
})

test('an aborted backup ends at once and leaves no files; the next one is complete', async () => {
  const where = await heavyInstallation(1_000)
  const folder = testFolder()
  const [aborted] = await runJobs(where, [{ job: 'backup', path: folder, isAborted: true }])
  expect(aborted?.outcome).toEqual({ status: 'interrupted' })
  expect(aborted?.abortMs).toBeLessThan(promptMs)
  expect(readdirSync(folder)).toEqual([])
  const [next] = await runJobs(where, [{ job: 'backup', path: folder }])
  expect(next?.outcome).toMatchObject({ status: 'made', manifest: { kind: 'full', events: 3_000 } })
})

test('an aborted replay can be resumed, and an aborted verification reports that it is incomplete', async () => {
  const where = await filledInstallation()
  const file = join(testFolder(), 'events.ndjson')
  const replay = { job: 'replay', path: file, aggregateType: where.type } as const
  const [aborted, verification] = await runJobs(where, [
    // At this rate all events would take 20 s.
    { ...replay, rate: 5, isAborted: true },
    { job: 'verify', path: '', isAborted: true },
  ])
  expect(aborted?.outcome).toMatchObject({ status: 'interrupted', partitions: expect.any(Array) as unknown })
  expect(aborted?.abortMs).toBeLessThan(promptMs)
  const before = eventsInFile(file).length
  expect(before).toBeLessThan(events)
  expect(verification?.outcome).toMatchObject({ status: 'interrupted', findings: { total: 0 } })

  const [resumed] = await runJobs(where, [{ ...replay, resume: true }])
  expect(resumed?.outcome).toMatchObject({ status: 'done', counts: { replayed: events } })
  expect(resumed?.progress[0]?.resumed).toBeGreaterThanOrEqual(before)
  expect(new Set(eventsInFile(file).map(({ id }) => id)).size).toBe(events)
  expect(eventsInFile(file)).toHaveLength(events)
})
