import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { isAlive, lastLines, repository } from '../../scripts/stack/index.ts'
import { cliWith } from '../support/cli/cli.ts'
import { openToOthers } from '../support/operations/open-to-others.ts'
import { waitFor } from '../support/stack/stack.ts'
import { type LocalStack, localStack, pidsOf } from './local-stack.ts'

let stack: LocalStack
beforeEach(async () => {
  stack = await localStack()
})
afterEach(() => stack.remove())

const startMsMax = 120_000

function part(wanted: string) {
  const found = stack.state().parts.find(({ name }) => name === wanted)
  if (found === undefined) throw new Error(`no ${wanted}`)
  return found
}

async function append(streamId: string): Promise<unknown> {
  const data = { date: '2026-01-31', cds: 2, amount: '29.33' }
  const response = await fetch(`${part('Platform').address}/streams/${streamId}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ events: [{ type: 'PurchaseMade', data }] }),
  })
  return { status: response.status, ...((await response.json()) as object) }
}

async function allGone(pids: readonly number[]): Promise<void> {
  // One after the other, with 15 s for each to end.
  await waitFor('every process ends', () => Promise.resolve(!pids.some(isAlive)), { timeoutMs: 60_000 })
}

test('start --detach twice, stop and restart: one stack runs, the stop leaves nothing, events survive', async () => {
  const first = await stack.run('start.sh', ['--detach', '--no-demo'])
  expect(first).toMatchObject({ exitCode: 0 })
  expect(first.output).toContain(`127.0.0.1:${String(stack.env['ANNALS_KAFKA_PORT'])}`)
  const pids = pidsOf(stack.state())
  expect(pids).toHaveLength(5)
  expect(pids.every(isAlive)).toBe(true)

  const { address } = part('Platform')
  expect(first.output).toContain(`${address}/docs`)
  expect(first.output).toContain(`export ANNALS_HOME=${stack.folders.home}\n  ./annals append`)
  expect(await append('customer.c-1')).toMatchObject({ status: 201, lastVersion: 1 })
  expect((await fetch(`${address}/docs`)).status).toBe(200)
  expect((await fetch(`${address}/metrics`)).status).toBe(200)

  const second = await stack.run('start.sh', ['--detach', '--no-demo'])
  expect(second).toMatchObject({ exitCode: 0 })
  expect(second.output).toContain('Already running')
  expect(pidsOf(stack.state())).toEqual(pids)

  const stopped = await stack.run('stop.sh')
  expect(stopped).toMatchObject({ exitCode: 0 })
  expect(pids.filter(isAlive)).toEqual([])

  expect(await stack.run('start.sh', ['--detach', '--no-demo'])).toMatchObject({ exitCode: 0 })
  expect(await append('customer.c-1')).toMatchObject({ status: 201, lastVersion: 2 })
  const annals = cliWith({ ANNALS_HOME: stack.folders.home }, join(repository, 'annals'))
  const state = await annals(['stream', 'state', 'customer.c-1', '--json'])
  expect(state.json()).toMatchObject({ version: 2, state: { purchases: 2, spend: '58.66' } })

  const purged = await stack.run('stop.sh', ['--purge'])
  expect(purged).toMatchObject({ exitCode: 0 })
  expect(existsSync(stack.folders.data)).toBe(false)
})

test('Ctrl-C on a foreground stack stops everything', async () => {
  const { process: shell, output } = stack.foreground()
  await waitFor('the stack is up', () => Promise.resolve(output().includes('Ctrl-C stops it')), {
    timeoutMs: startMsMax,
  })
  const pids = pidsOf(stack.state())
  process.kill(-(shell.pid ?? 0), 'SIGINT')
  await once(shell, 'close')
  expect(pids.filter(isAlive)).toEqual([])
  expect(output()).toMatch(/Platform has stopped[^]*Schema registry has stopped[^]*Kafka has stopped/)
})

test('Ctrl-C during a start leaves nothing running', async () => {
  const { process: shell, output } = stack.foreground()
  const redis = await waitFor(
    'the first server',
    () => Promise.resolve(/Redis is up .*pid (\d+)/.exec(output())?.[1]),
    {
      timeoutMs: startMsMax,
    },
  )
  process.kill(-(shell.pid ?? 0), 'SIGINT')
  await once(shell, 'close')
  expect(isAlive(Number(redis))).toBe(false)
  expect(await stack.run('stop.sh')).toMatchObject({ exitCode: 0, output: 'Nothing is running.\n' })
})

test('a killed supervisor takes its servers with it, and the next start cleans up; others may use its servers; one that dies takes all with it', async () => {
  expect(await stack.run('start.sh', ['--detach', '--no-demo'])).toMatchObject({ exitCode: 0 })
  const pids = pidsOf(stack.state())
  process.kill(stack.state().supervisorPid, 'SIGKILL')
  await allGone(pids)
  const again = await stack.run('start.sh', ['--detach', '--no-demo'])
  expect(again).toMatchObject({ exitCode: 0 })
  expect(again.output).toContain('is gone; cleaning up')
  await useServersOf(stack)
  const all = pidsOf(stack.state())
  process.kill(part('Redis').pids[0] ?? 0, 'SIGKILL')
  await allGone(all)
  expect((await stack.run('stop.sh')).output).toBe('Nothing is running.\n')
})

/** Starts a platform on the servers of a stack and stops it. */
async function useServersOf(running: LocalStack): Promise<void> {
  const theirs = pidsOf(running.state())
  const ours = await localStack()
  onTestFinished(() => ours.remove())
  const given = running.servers()
  const started = await ours.run('start.sh', ['--detach', '--no-demo', '--stack', 'external'], given)
  expect(started).toMatchObject({ exitCode: 0 })
  const [supervisor = 0, writer = 0, ...others] = pidsOf(ours.state())
  expect(others).toEqual([])
  const stopped = await ours.run('stop.sh')
  expect(stopped.output).toContain('Stopped: Platform.')
  expect(stopped.output).toContain(
    'Not stopped, because they are managed elsewhere: Kafka, Redis, Schema registry.',
  )
  expect([supervisor, writer].some(isAlive)).toBe(false)
  expect(theirs.every(isAlive)).toBe(true)
}

test('a platform that dies is reported with the end of its log and restarted', async () => {
  expect(await stack.run('start.sh', ['--detach', '--no-demo'])).toMatchObject({ exitCode: 0 })
  expect(await append('customer.c-1')).toMatchObject({ status: 201 })
  const { data, logs, run } = stack.folders
  expect([data, logs, run].flatMap(openToOthers)).toEqual([])
  const [first = 0] = part('Platform').pids
  const killed = (pid: number) => {
    process.kill(pid, 'SIGKILL')
    return waitFor(
      'another platform',
      () => Promise.resolve(part('Platform').pids.find((other) => other !== pid)),
      { timeoutMs: 30_000 },
    )
  }
  // The second platform is killed during its start, before it is healthy.
  const second = await killed(await killed(first))
  expect(isAlive(second)).toBe(true)
  const log = lastLines(join(stack.folders.logs, 'supervisor.log'), 100).join('\n')
  expect(log).toMatch(/Platform exited unexpectedly \(SIGKILL\)[^]*platform listens at[^]*1 of 4/)
  const appended = async () => JSON.stringify(await append('customer.c-1')).includes('"status":201')
  await waitFor('an append', appended, { timeoutMs: 30_000 })
  expect(await stack.run('stop.sh')).toMatchObject({ exitCode: 0 })
  expect(isAlive(second)).toBe(false)
})

test('a domain that cannot be loaded is reported before any server starts', async () => {
  const { exitCode, output } = await stack.run('start.sh', ['--detach', '--no-demo'], {
    ANNALS_DOMAIN: '/nowhere.ts',
  })
  expect(exitCode).toBe(2)
  expect(output).toContain('Nothing was started: domain module /nowhere.ts cannot be loaded')
  expect(output).not.toContain('Kafka is up')
})

test('a platform that cannot start makes the start fail and is reported with the end of its log', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'annals-domain-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'domain.ts')
  // Only the platform gets the address of Kafka, so the earlier check of the domain loads the module without error.
  writeFileSync(
    file,
    `import { defineDomain } from '${join(repository, 'libs/domain/index.ts')}'
if (process.env.ANNALS_KAFKA_BROKERS !== undefined) throw new Error('the domain refuses to load')
export default defineDomain({})`,
  )
  const { exitCode, output } = await stack.run('start.sh', ['--detach', '--no-demo'], { ANNALS_DOMAIN: file })
  expect(exitCode).toBe(1)
  expect(output).toContain('Platform ended while starting (exit code 2)')
  expect(output).toContain(`platform cannot start: domain module ${file} cannot be loaded`)
  expect((await stack.run('stop.sh')).output).toBe('Nothing is running.\n')
  const kafka = Number(/Kafka is up .*pid (\d+)/.exec(output)?.[1])
  expect(isAlive(kafka)).toBe(false)
})

test('a port in use is reported with its server and its variable, and nothing starts', async () => {
  const port = Number(stack.env['ANNALS_REDIS_PORT'])
  const squatter = createServer().listen(port, '127.0.0.1')
  await once(squatter, 'listening')
  const { exitCode, output } = await stack.run('start.sh', ['--detach', '--no-demo'])
  squatter.close()
  expect(exitCode).toBe(1)
  expect(output).toContain(`Port ${port}, which Redis needs, is in use`)
  expect(output).toContain('ANNALS_REDIS_PORT')
  expect(output).not.toContain('    at ')
  expect(existsSync(stack.folders.data)).toBe(false)
})

test('servers named by the environment are used, not started; an unreachable one is reported', async () => {
  const given = {
    ANNALS_KAFKA_BROKERS: '127.0.0.1:1',
    ANNALS_REDIS_URL: 'redis://user:secret@127.0.0.1:2',
    ANNALS_REGISTRY_URL: 'http://127.0.0.1:3',
  }
  const { exitCode, output } = await stack.run(
    'start.sh',
    ['--detach', '--no-demo', '--stack', 'external'],
    given,
  )
  expect(exitCode).toBe(1)
  expect(output).toContain('Kafka (ANNALS_KAFKA_BROKERS=127.0.0.1:1): 127.0.0.1:1 cannot be reached')
  expect(output).not.toContain('secret')
})

test('stop without a stack reports that nothing is running', async () => {
  expect(await stack.run('stop.sh')).toEqual({ exitCode: 0, output: 'Nothing is running.\n' })
})

test.each([
  ['start.sh', ['--detatch'], '--detatch'],
  ['start.sh', ['--stack', 'podman'], 'native, docker, external'],
  ['stop.sh', ['now'], 'now'],
] as const)('%s %s is rejected with exit code 2', async (script, args, named) => {
  const { exitCode, output } = await stack.run(script, args)
  expect(exitCode).toBe(2)
  expect(output).toContain(named)
  expect(output).not.toContain('    at ')
})
