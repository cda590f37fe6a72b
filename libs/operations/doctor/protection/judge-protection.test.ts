import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { loadConfig } from '#config'

import { judgeOpenness } from '../probe-writer.ts'
import { checkAccess } from './check-access.ts'
import { checkCertificates, judgeValidity } from './check-certificates.ts'
import { judgeLogin } from './check-logins.ts'
import { checkSecretFiles, judgeFile } from './check-secret-files.ts'

test.each([
  ['Kafka', true, { asks: true }, 'ok'],
  ['Kafka', true, { asks: false }, 'warn'],
  ['Kafka', false, { asks: false }, 'warn'],
  ['Redis', false, { asks: true }, 'ok'],
  ['Redis', true, { asks: false }, 'warn'],
  ['Redis', false, { asks: false }, 'fail'],
  ['PostgreSQL', false, { asks: false }, 'fail'],
] as const)('the login of %s (local: %s) with %o is judged: %s', (name, isLocal, answer, status) => {
  expect(judgeLogin({ name, isLocal }, answer)).toMatchObject({ subject: `${name} login`, status })
})

test('a server that cannot be reached is neither open nor closed', () => {
  const found = judgeLogin({ name: 'Redis', isLocal: false }, { unknown: 'connect ECONNREFUSED' })
  expect(found).toMatchObject({ status: 'warn', message: 'not checked: connect ECONNREFUSED' })
})

const day = 86_400_000
const at = (days: number) => new Date(Date.UTC(2030, 0, 1) + days * day).toUTCString()

test.each([
  [[{ validFrom: at(-1), validTo: at(365) }], 'ok', 'valid until 2031-01-01'],
  [[{ validFrom: at(-1), validTo: at(30) }], 'ok', 'valid until 2030-01-31'],
  [[{ validFrom: at(-1), validTo: at(29.9) }], 'warn', 'expires in 29 days, on 2030-01-30'],
  [[{ validFrom: at(-9), validTo: at(-1) }], 'fail', 'expired on 2029-12-31'],
  [[{ validFrom: at(1), validTo: at(365) }], 'fail', 'not valid before 2030-01-02'],
  [
    [
      { validFrom: at(-1), validTo: at(365) },
      { validFrom: at(-1), validTo: at(2) },
    ],
    'warn',
    'expires in 2 days',
  ],
])('certificates %j are judged: %s', (certificates, status, words) => {
  const found = judgeValidity('a', certificates, Date.UTC(2030, 0, 1))
  expect(found.status).toBe(status)
  expect(found.message).toContain(words)
})

test.each([
  [0o100600, 'ok'],
  [0o100400, 'ok'],
  [0o100640, 'warn'],
  [0o100644, 'fail'],
  [0o100602, 'fail'],
])('a secret file with mode %o is judged: %s', (mode, status) => {
  expect(judgeFile('ANNALS_TLS_KEY_FILE', '/k', mode).status).toBe(status)
})

test('files are checked where settings name them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'annals-doctor-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = (name: string) => join(folder, name)
  writeFileSync(path('key'), 'x', { mode: 0o600 })
  chmodSync(path('key'), 0o644)
  writeFileSync(path('ca'), 'no certificate')
  const config = loadConfig({
    ANNALS_TLS_CERT_FILE: path('missing'),
    ANNALS_TLS_KEY_FILE: path('key'),
    ANNALS_KAFKA_SSL: 'true',
    ANNALS_KAFKA_BROKERS: '127.0.0.1:1',
    ANNALS_KAFKA_SSL_CA_FILE: path('ca'),
    ANNALS_PORT: '1',
  })
  expect(checkSecretFiles(config)).toMatchObject([
    { status: 'fail', subject: `ANNALS_TLS_KEY_FILE ${path('key')}`, remedy: `chmod 600 ${path('key')}` },
  ])
  expect(await checkCertificates(config)).toMatchObject([
    { status: 'fail', subject: `ANNALS_TLS_CERT_FILE ${path('missing')}` },
    { status: 'fail', message: 'it has no certificate in PEM' },
  ])
  expect(checkSecretFiles(loadConfig({}))).toEqual([])
})

const secret = 'x'.repeat(32)
const other = { ANNALS_HOST: '10.0.0.5', ANNALS_ACCESS: 'open' }
const keys = { ANNALS_TLS_CERT_FILE: 'c', ANNALS_TLS_KEY_FILE: 'k' }

test.each([
  ['a laptop', {}, { access: 'ok', TLS: 'ok' }],
  ['an open service on a network', other, { access: 'fail', TLS: 'warn' }],
  [
    'access control and TLS',
    { ...other, ...keys, ANNALS_ACCESS: 'topic', ANNALS_PEER_SECRET: secret },
    { access: 'ok', TLS: 'ok' },
  ],
  ['a proxy with TLS', { ANNALS_ADVERTISED_URL: 'https://annals.example' }, { access: 'ok', TLS: 'ok' }],
  [
    'HTTPS behind an http URL',
    { ...keys, ANNALS_ADVERTISED_URL: 'http://annals.example' },
    { access: 'ok', TLS: 'fail' },
  ],
  [
    'plain servers on a network',
    {
      ANNALS_KAFKA_BROKERS: 'kafka:9092',
      ANNALS_REDIS_URL: 'redis://redis',
      ANNALS_REGISTRY_URL: 'http://registry',
      ANNALS_PROJECTOR_STORE: 'postgres',
      ANNALS_PROJECTOR_POSTGRES_URL: 'postgres://u:p@db/x',
    },
    {
      access: 'ok',
      TLS: 'ok',
      'Kafka TLS': 'warn',
      'Redis TLS': 'warn',
      'schema registry TLS': 'warn',
      'PostgreSQL TLS': 'warn',
    },
  ],
  [
    'a PostgreSQL that is not verified',
    {
      ANNALS_PROJECTOR_STORE: 'postgres',
      ANNALS_PROJECTOR_POSTGRES_URL: 'postgres://u:p@db/x?sslmode=no-verify',
    },
    { access: 'ok', TLS: 'ok', 'PostgreSQL TLS': 'warn' },
  ],
])('%s is judged', (_, env, statuses) => {
  const found = checkAccess(loadConfig(env))
  expect(Object.fromEntries(found.map(({ subject, status }) => [subject, status]))).toEqual(statuses)
  expect(JSON.stringify(found)).not.toContain('u:p')
})

test.each([
  [200, 'http://127.0.0.1:7400', 'open', []],
  [200, 'http://annals:7400', 'open', ['fail']],
  [200, 'http://127.0.0.1:7400', 'topic', ['fail']],
  [401, 'http://annals:7400', 'topic', ['ok']],
  [503, 'http://annals:7400', 'topic', []],
] as const)('a writer that answers %i at %s while access is %s is judged: %j', (status, url, mode, found) => {
  expect(judgeOpenness(url, status, { access: { mode } as never }).map((one) => one.status)).toEqual(found)
})
