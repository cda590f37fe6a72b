import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { freePorts, httpOk, isAlive, type Server, startServer, until } from '../stack/index.ts'
import type { RunningPart } from './part.ts'
import { keepRunning, type Restartable } from './restarting.ts'

vi.setConfig({ testTimeout: 30_000 })

const folder = await mkdtemp(join(tmpdir(), 'annals-restarting-'))
let part: RunningPart | undefined
afterEach(async () => {
  await part?.stop()
  part = undefined
})
afterAll(() => rm(folder, { recursive: true, force: true }))

interface Watched {
  readonly reports: string[]
  readonly starts: () => number
  readonly part: RunningPart
}

/** Keeps a program running; each restart runs the next of the scripts, and the last one forever. */
async function kept(
  scripts: readonly string[],
  more: Partial<Restartable> = {},
  isHealthy: () => boolean = () => true,
): Promise<Watched> {
  const reports: string[] = []
  let starts = 0
  const start = (signal: AbortSignal, spawned: (pid: number) => void): Promise<Server> => {
    const script = scripts[Math.min(starts++, scripts.length - 1)] ?? ''
    return startServer({
      ...{ name: 'Service', command: process.execPath, args: ['--eval', script], signal, spawned },
      ...{
        cwd: folder,
        logFile: join(folder, 'service.log'),
        healthy: more.healthy ?? (() => Promise.resolve(isHealthy())),
      },
    })
  }
  part = await keepRunning({
    ...{ name: 'Service', address: 'nowhere', start, pauseMs: 1 },
    healthy: () => Promise.resolve(true),
    report: (line) => reports.push(line),
    changed: () => undefined,
    ...more,
  })
  return { reports, starts: () => starts, part }
}

const runs = 'setInterval(() => undefined, 1000)'
const dies = `console.log('the reason'); setTimeout(() => process.exit(7), 100)`

test('a service that exits unexpectedly is reported with the end of its log, and restarted', async () => {
  const changes: number[][] = []
  const changed = () => changes.push([...(part?.pids ?? [])])
  const watched = await kept([dies, runs], { changed })
  const [first = 0] = watched.part.pids
  await until('the second start', 10_000, () => changes.length === 2)
  expect(watched.reports).toHaveLength(1)
  expect(watched.reports[0]).toMatch(/Service exited unexpectedly \(exit code 7\)[^]*the reason[^]*1 of 4/)
  const [second = 0] = watched.part.pids
  expect(changes).toEqual([[], [second]])
  expect(second).not.toBe(first)
  await watched.part.stop()
  expect(isAlive(second)).toBe(false)
  expect(watched.starts()).toBe(2)
})

test('its pid is known after every restart, even before it is healthy, and none while it is down', async () => {
  const changes: number[][] = []
  const changed = () => changes.push([...(part?.pids ?? [])])
  let isHealthy = true
  const watched = await kept([runs], { changed }, () => isHealthy)
  isHealthy = false
  for (const round of [1, 2, 3]) {
    const [before = 0] = watched.part.pids
    process.kill(before, 'SIGKILL')
    await until('the next process', 10_000, () => changes.length === 2 * round)
    const [now = 0] = watched.part.pids
    expect(now).not.toBe(before)
    expect(isAlive(now)).toBe(true)
    expect(changes.slice(-2)).toEqual([[], [now]])
  }
})

test('a failing status update does not affect the service', async () => {
  const changed = () => {
    throw new Error('the disk is full')
  }
  const watched = await kept([dies, runs], { changed })
  await until('the second process', 10_000, () => watched.starts() === 2 && watched.part.pids.length === 1)
  const [second = 0] = watched.part.pids
  await watched.part.stop()
  expect(isAlive(second)).toBe(false)
  expect(watched.starts()).toBe(2)
  expect(watched.reports.filter((line) => line.includes('the disk is full')).length).toBeGreaterThan(0)
})

test('a service that exits five times in a row has ended', async () => {
  const watched = await kept([dies])
  expect(await watched.part.ended).toContain('That happened 5 times in a row')
  expect(watched.starts()).toBe(5)
  expect(watched.part.pids).toEqual([])
})

test('crashes far apart are not added up', async () => {
  const watched = await kept([dies, dies, dies, dies, dies, runs], { steadyMs: 1 })
  await until('the sixth start', 20_000, () => watched.starts() === 6)
  expect(watched.reports.every((line) => line.includes('1 of 4'))).toBe(true)
})

test('a service that is stopped while it waits for its restart stays stopped', async () => {
  const watched = await kept([dies, runs], { pauseMs: 60_000 })
  await until('the report', 10_000, () => watched.reports.length === 1)
  await watched.part.stop()
  expect(watched.starts()).toBe(1)
})

/** Serves until a request makes it hang: its event loop is blocked from then on. */
const hangs = (port: number) => `
  require('node:http').createServer((request, response) => {
    response.end()
    if (request.url === '/hang') setImmediate(() => { for (;;); })
  }).listen(${port}, '127.0.0.1')`

test('a service that hangs is killed and restarted, although its process is alive', async () => {
  const [port = 0] = await freePorts(1)
  const address = `http://127.0.0.1:${port}`
  const live = () => httpOk(`${address}/health/live`)
  const watched = await kept([hangs(port)], { healthy: live, life: { live, everyMs: 100, silentMax: 3 } })
  const [first = 0] = watched.part.pids
  await httpOk(`${address}/hang`)
  await until('the second start', 20_000, () => watched.starts() === 2)
  expect(isAlive(first)).toBe(false)
  expect(watched.reports[0]).toMatch(/did not answer 3 probes in a row[^]*1 of 4/)
  await until('the service answers again', 20_000, live)
  await watched.part.stop()
  expect(watched.starts()).toBe(2)
})

test('a service that misses a probe now and then keeps running', async () => {
  let asked = 0
  const live = () => (++asked % 2 === 0 ? Promise.resolve(true) : Promise.reject(new Error('busy')))
  const watched = await kept([runs], { life: { live, everyMs: 1, silentMax: 2 } })
  const [pid] = watched.part.pids
  await until('enough probes', 10_000, () => asked > 50)
  expect(watched.part.pids).toEqual([pid])
  expect(watched.reports).toEqual([])
})

test('a service that hangs while it is being stopped is stopped', async () => {
  const live = () => Promise.resolve(false)
  const watched = await kept([runs], { life: { live, everyMs: 1, silentMax: 1_000_000 } })
  await watched.part.stop()
  expect(watched.starts()).toBe(1)
})
