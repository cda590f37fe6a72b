import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { stackLogins, stackPasswords } from './stack-logins.ts'

const servers = {
  kafka: '127.0.0.1:9501',
  redis: 'redis://127.0.0.1:6501',
  postgres: 'postgres://annals@127.0.0.1:5501/postgres',
}
const passwords = { kafka: 'k-1', redis: 'r-1', postgres: 'p-1' }
const login = {
  ANNALS_KAFKA_SASL_MECHANISM: 'PLAIN',
  ANNALS_KAFKA_SASL_USERNAME: 'annals',
  ANNALS_KAFKA_SASL_PASSWORD: 'k-1',
}
const postgresUrl = 'postgres://annals:p-1@127.0.0.1:5501/postgres'

test.each([
  [
    'the servers of the stack',
    { ANNALS_KAFKA_BROKERS: 'localhost:9501', ANNALS_REDIS_URL: 'redis://localhost:6501' },
    { ...login, ANNALS_REDIS_URL: 'redis://:r-1@localhost:6501' },
  ],
  [
    'a projector that stores views in PostgreSQL',
    { ANNALS_PROJECTOR_STORE: 'postgres' },
    { ANNALS_PROJECTOR_POSTGRES_URL: postgresUrl },
  ],
  [
    'a URL of that PostgreSQL without a login',
    { ANNALS_PROJECTOR_POSTGRES_URL: 'postgres://127.0.0.1:5501/postgres' },
    { ANNALS_PROJECTOR_POSTGRES_URL: postgresUrl },
  ],
  [
    'a URL that has a login',
    { ANNALS_PROJECTOR_POSTGRES_URL: 'postgres://me:own@127.0.0.1:5501/x' },
    { ANNALS_PROJECTOR_POSTGRES_URL: 'postgres://me:own@127.0.0.1:5501/x' },
  ],
  [
    'other servers',
    {
      ANNALS_KAFKA_BROKERS: 'kafka:9501,kafka2:9501',
      ANNALS_REDIS_URL: 'redis://127.0.0.1:6379',
      ANNALS_PROJECTOR_POSTGRES_URL: 'postgres://db/x',
    },
    {},
  ],
  ['no server', {}, {}],
])('%s: logins are added', (_, env, added) => {
  expect(stackLogins(env, servers, passwords)).toEqual(added)
})

test('a stack that runs no server of its own, or has no passwords, adds nothing', () => {
  const env = {
    ANNALS_KAFKA_BROKERS: servers.kafka,
    ANNALS_REDIS_URL: servers.redis,
    ANNALS_PROJECTOR_STORE: 'postgres',
  }
  expect(stackLogins(env, {}, passwords)).toEqual({})
  expect(stackLogins(env, servers, {})).toEqual({})
})

test('passwords are read from the folder secrets of a home; those that are missing are left out', () => {
  const home = mkdtempSync(join(tmpdir(), 'annals-home-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  expect(stackPasswords(home)).toEqual({})
  mkdirSync(join(home, 'secrets'))
  writeFileSync(join(home, 'secrets', 'redis'), 'r-1\n')
  expect(stackPasswords(home)).toEqual({ redis: 'r-1' })
})
