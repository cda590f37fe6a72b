import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { loadConfig } from '#config'

import { claimState, type StackState } from '../../scripts/local/state.ts'
import { stackFolders } from '../../scripts/stack/index.ts'
import { withInstallation } from './installation.ts'

const stack = {
  ANNALS_URL: 'http://127.0.0.1:7501',
  ANNALS_KAFKA_BROKERS: '127.0.0.1:9501',
  ANNALS_REDIS_URL: 'redis://127.0.0.1:6501',
  ANNALS_REGISTRY_URL: 'http://127.0.0.1:8501/apis/ccompat/v7',
}

/** An installation folder with a state file as the supervisor writes it. */
function homeWith(parts: Partial<typeof stack>, ready = true, needsLogin = false): string {
  const home = mkdtempSync(join(tmpdir(), 'annals-installation-'))
  onTestFinished(() => {
    rmSync(home, { recursive: true })
  })
  const names = {
    ANNALS_URL: 'Platform',
    ANNALS_KAFKA_BROKERS: 'Kafka',
    ANNALS_REDIS_URL: 'Redis',
    ANNALS_REGISTRY_URL: 'Schema registry',
  }
  const state: StackState = {
    ...{ kind: 'native', supervisorPid: process.pid, controlPort: 1, token: 'x', startedAt: 'now', ready },
    parts: Object.entries(parts).map(([place, address]) => ({
      name: names[place as keyof typeof names],
      address,
      pids: [],
      ...(needsLogin && { needsLogin }),
    })),
  }
  expect(claimState(stackFolders(home), state)).toBe(true)
  return home
}

test('an environment without addresses gets those of the stack in this checkout, on any ports', () => {
  const env = { ANNALS_HOME: homeWith(stack), HOME: '/root' }
  expect(withInstallation(env)).toEqual({ ...env, ...stack })
  const { kafka, redis, registry } = loadConfig(withInstallation(env))
  expect([kafka.brokers, redis.url, registry.url]).toEqual([
    [stack.ANNALS_KAFKA_BROKERS],
    stack.ANNALS_REDIS_URL,
    stack.ANNALS_REGISTRY_URL,
  ])
})

test('an environment that names part of the same stack is completed; one that names another is unchanged', () => {
  const ANNALS_HOME = homeWith(stack)
  for (const given of [
    { ANNALS_URL: 'http://localhost:7501/' },
    { ANNALS_KAFKA_BROKERS: 'localhost:9501' },
    { ANNALS_REDIS_URL: '' },
  ]) {
    const names = Object.entries(given).filter(([, value]) => value !== '')
    expect(withInstallation({ ANNALS_HOME, ...given })).toEqual({
      ANNALS_HOME,
      ...stack,
      ...Object.fromEntries(names),
    })
  }
  for (const other of [
    { ANNALS_KAFKA_BROKERS: 'kafka-1:9092' },
    { ANNALS_URL: 'http://writer-1:7400' },
    { ANNALS_REDIS_URL: stack.ANNALS_REDIS_URL, ANNALS_REGISTRY_URL: 'https://registry' },
  ]) {
    expect(withInstallation({ ANNALS_HOME, ...other })).toEqual({ ANNALS_HOME, ...other })
  }
})

test('the address of a server with a password comes from the environment', () => {
  const ANNALS_HOME = homeWith({ ...stack, ANNALS_REDIS_URL: 'redis://…@redis:6379' })
  const given = { ANNALS_HOME, ANNALS_REDIS_URL: 'redis://user:secret@redis:6379' }
  expect(withInstallation(given)).toEqual({ ...given, ...stack, ANNALS_REDIS_URL: given.ANNALS_REDIS_URL })
})

test('servers that ask for a login get that of the stack, wherever else the environment names them', () => {
  const ANNALS_HOME = homeWith(stack, true, true)
  mkdirSync(join(ANNALS_HOME, 'secrets'))
  for (const name of ['kafka', 'redis']) writeFileSync(join(ANNALS_HOME, 'secrets', name), `${name}-secret\n`)
  const logins = {
    ANNALS_KAFKA_SASL_MECHANISM: 'PLAIN',
    ANNALS_KAFKA_SASL_USERNAME: 'annals',
    ANNALS_KAFKA_SASL_PASSWORD: 'kafka-secret',
    ANNALS_REDIS_URL: 'redis://:redis-secret@127.0.0.1:6501',
  }
  for (const given of [{}, { ANNALS_REDIS_URL: stack.ANNALS_REDIS_URL }, logins])
    expect(withInstallation({ ANNALS_HOME, ...given })).toEqual({ ANNALS_HOME, ...stack, ...logins })
  const other = { ANNALS_HOME, ANNALS_REDIS_URL: 'redis://redis:6379' }
  expect(withInstallation(other)).toEqual(other)
})

test('without a running stack only the variables that move its ports apply', () => {
  const moved = {
    ANNALS_PORT: '7501',
    ANNALS_KAFKA_PORT: '9501',
    ANNALS_REDIS_PORT: '6501',
    ANNALS_REGISTRY_PORT: '8501',
  }
  for (const ANNALS_HOME of ['/nonexistent', homeWith({}, false)]) {
    expect(withInstallation({ ANNALS_HOME, ...moved })).toEqual({ ANNALS_HOME, ...moved, ...stack })
    expect(withInstallation({ ANNALS_HOME })).toEqual({ ANNALS_HOME })
    expect(withInstallation({ ANNALS_HOME, ANNALS_KAFKA_PORT: 'x' })).toEqual({
      ANNALS_HOME,
      ANNALS_KAFKA_PORT: 'x',
    })
  }
})
