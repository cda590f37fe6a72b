import { expect, test } from 'vitest'

import { loadConfig } from '#config'

import { kafkaAdvice, postgresAdvice, redisAdvice, registryAdvice } from './connection-advice.ts'

const { kafka, redis, registry } = loadConfig({})
const coded = (code: string, message = 'failed') => Object.assign(new Error(message), { code })
const wrapped = (cause: unknown) => new Error('cannot connect', { cause })

test.each([
  ['an expired certificate', wrapped(coded('CERT_HAS_EXPIRED')), 'renew it'],
  ['an unknown authority', wrapped(wrapped(coded('SELF_SIGNED_CERT_IN_CHAIN'))), '_CA_FILE|sslrootcert'],
  ['another name', coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'must use a name'],
  ['a port without TLS', coded('ERR_SSL_WRONG_VERSION_NUMBER'), 'does not speak TLS'],
  ['a closed connection', wrapped(coded('ECONNRESET', 'read ECONNRESET')), 'TLS|sslmode'],
])('%s: each server names its own setting', (_, error, words) => {
  for (const [advise, setting] of [
    [kafkaAdvice(kafka), 'ANNALS_KAFKA_'],
    [redisAdvice(redis), 'ANNALS_REDIS_'],
    [registryAdvice(registry), 'ANNALS_REGISTRY_'],
    [postgresAdvice('postgres://db/x'), 'ANNALS_PROJECTOR_POSTGRES_URL'],
  ] as const) {
    expect(advise(error)).toMatch(new RegExp(words))
    expect(advise(error)).toContain(setting)
  }
})

test.each([
  [
    'a wrong password',
    new Error('WRONGPASS invalid username-password pair'),
    'check the user and the password',
  ],
  ['no password', new Error('NOAUTH Authentication required.'), 'it asks for a password'],
  [
    'a node of a cluster',
    Object.assign(new Error('Failed to refresh slots cache.'), {
      lastNodeError: new Error('WRONGPASS invalid'),
    }),
    'check the user and the password',
  ],
])('Redis with %s names ANNALS_REDIS_URL', (_, error, words) => {
  expect(redisAdvice(redis)(error)).toContain(words)
  expect(redisAdvice(redis)(error)).toContain('ANNALS_REDIS_URL')
})

test('a server that is only down gets no advice about logins or certificates', () => {
  const refused = wrapped(coded('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1'))
  for (const advise of [kafkaAdvice(kafka), redisAdvice(redis), registryAdvice(registry), postgresAdvice('')])
    for (const error of [refused, new Error('no connection within 300 ms'), undefined, 503])
      expect(advise(error)).toBeUndefined()
})
