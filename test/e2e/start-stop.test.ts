import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isAlive } from '../../scripts/stack/index.ts'
import { waitFor } from '../support/stack.ts'
import { type LocalStack, localStack, pidsOf } from './local-stack.ts'

let stack: LocalStack
beforeEach(async () => {
  stack = await localStack()
})
afterEach(() => stack.remove())

const startMsMax = 120_000

function registryUrl(): string {
  const found = stack.state().parts.find(({ name }) => name === 'Schema registry')
  if (found === undefined) throw new Error('no schema registry')
  return found.address
}

async function allGone(pids: readonly number[]): Promise<void> {
  await waitFor('every process ends', () => Promise.resolve(!pids.some(isAlive)), { timeoutMs: 20_000 })
}

test('start --detach twice, stop and start again: one stack, nothing left after the stop, schemas survive', async () => {
  const first = await stack.run('start.sh', ['--detach', '--no-demo'])
  expect(first).toMatchObject({ exitCode: 0 })
  expect(first.output).toContain(`127.0.0.1:${String(stack.env['ANNALS_KAFKA_PORT'])}`)
  const pids = pidsOf(stack.state())
  expect(pids).toHaveLength(4)
  expect(pids.every(isAlive)).toBe(true)

  const schema = JSON.stringify({ schema: '{"type":"record","name":"Kept","fields":[]}' })
  const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' }
  const registered = await fetch(`${registryUrl()}/subjects/kept/versions`, {
    method: 'POST',
    headers,
    body: schema,
  })
  expect(registered.status).toBe(200)

  const second = await stack.run('start.sh', ['--detach'])
  expect(second).toMatchObject({ exitCode: 0 })
  expect(second.output).toContain('Already running')
  expect(pidsOf(stack.state())).toEqual(pids)

  const stopped = await stack.run('stop.sh')
  expect(stopped).toMatchObject({ exitCode: 0 })
  expect(pids.filter(isAlive)).toEqual([])

  expect(await stack.run('start.sh', ['--detach'])).toMatchObject({ exitCode: 0 })
  const subjects = await fetch(`${registryUrl()}/subjects`)
  expect(await subjects.json()).toContain('kept')

  const purged = await stack.run('stop.sh', ['--purge'])
  expect(purged).toMatchObject({ exitCode: 0 })
  expect(existsSync(stack.folders.data)).toBe(false)
})

test('Ctrl-C on a stack in the foreground stops everything', async () => {
  const { process: shell, output } = stack.foreground()
  await waitFor('the stack is up', () => Promise.resolve(output().includes('Ctrl-C stops it')), {
    timeoutMs: startMsMax,
  })
  const pids = pidsOf(stack.state())
  process.kill(-(shell.pid ?? 0), 'SIGINT')
  await once(shell, 'close')
  expect(pids.filter(isAlive)).toEqual([])
  expect(output()).toMatch(/Schema registry has stopped[^]*Kafka has stopped/)
})

test('Ctrl-C in the middle of a start leaves nothing', async () => {
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

test('a supervisor that is killed takes its servers with it, and the next start clears up', async () => {
  expect(await stack.run('start.sh', ['--detach'])).toMatchObject({ exitCode: 0 })
  const pids = pidsOf(stack.state())
  process.kill(stack.state().supervisorPid, 'SIGKILL')
  await allGone(pids)
  const again = await stack.run('start.sh', ['--detach'])
  expect(again).toMatchObject({ exitCode: 0 })
  expect(again.output).toContain('is gone; clearing up after it')
})

test('a server that dies takes the stack down, and the log says which one', async () => {
  expect(await stack.run('start.sh', ['--detach'])).toMatchObject({ exitCode: 0 })
  const state = stack.state()
  const redis = state.parts.find(({ name }) => name === 'Redis')
  process.kill(redis?.pids[0] ?? 0, 'SIGKILL')
  await allGone(pidsOf(state))
  expect((await stack.run('stop.sh')).output).toBe('Nothing is running.\n')
})

test('a port that is taken is named, with what wants it and the variable that moves it; nothing is started', async () => {
  const port = Number(stack.env['ANNALS_REDIS_PORT'])
  const squatter = createServer().listen(port, '127.0.0.1')
  await once(squatter, 'listening')
  const { exitCode, output } = await stack.run('start.sh', ['--detach'])
  squatter.close()
  expect(exitCode).toBe(1)
  expect(output).toContain(`Port ${port}, which Redis wants, is taken`)
  expect(output).toContain('ANNALS_REDIS_PORT')
  expect(output).not.toContain('    at ')
  expect(existsSync(stack.folders.data)).toBe(false)
})

test('servers named by the environment are used and not started; one that cannot be reached is named', async () => {
  const given = {
    ANNALS_KAFKA_BROKERS: '127.0.0.1:1',
    ANNALS_REDIS_URL: 'redis://user:secret@127.0.0.1:2',
    ANNALS_REGISTRY_URL: 'http://127.0.0.1:3',
  }
  const { exitCode, output } = await stack.run('start.sh', ['--detach', '--stack', 'external'], given)
  expect(exitCode).toBe(1)
  expect(output).toContain('Kafka (ANNALS_KAFKA_BROKERS=127.0.0.1:1): 127.0.0.1:1 cannot be reached')
  expect(output).not.toContain('secret')
})

test('a stack that somebody else runs is used and left alone', async () => {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  const registry = createHttpServer((_, response) => response.end('[]')).listen(0, '127.0.0.1')
  await once(registry, 'listening')
  const started = await stack.run('start.sh', ['--detach', '--stack', 'external'], {
    ANNALS_KAFKA_BROKERS: `127.0.0.1:${port}`,
    ANNALS_REDIS_URL: `redis://127.0.0.1:${port}`,
    ANNALS_REGISTRY_URL: `http://127.0.0.1:${(registry.address() as AddressInfo).port}`,
  })
  expect(started).toMatchObject({ exitCode: 0 })
  expect(pidsOf(stack.state())).toHaveLength(1)
  const stopped = await stack.run('stop.sh')
  expect(stopped.output).toContain('Left alone, as not ours: Kafka, Redis, Schema registry.')
  listener.close()
  registry.close()
})

test('stop without a stack says that nothing runs', async () => {
  expect(await stack.run('stop.sh')).toEqual({ exitCode: 0, output: 'Nothing is running.\n' })
})

test.each([
  ['start.sh', ['--detatch'], '--detatch'],
  ['start.sh', ['--stack', 'podman'], 'native, docker, external'],
  ['stop.sh', ['now'], 'now'],
] as const)('%s %s is refused with exit code 2', async (script, args, named) => {
  const { exitCode, output } = await stack.run(script, args)
  expect(exitCode).toBe(2)
  expect(output).toContain(named)
  expect(output).not.toContain('    at ')
})
