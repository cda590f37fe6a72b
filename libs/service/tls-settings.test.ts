import { expect, test } from 'vitest'

import { loadConfig } from '#config'
import { createHttpServer } from '#http'
import { createLogger, createMetrics, HealthRegistry } from '#observability'

import { rethrowTlsProblem, tlsSettings } from './tls-settings.ts'

const files = { ANNALS_TLS_CERT_FILE: '/none/a.crt', ANNALS_TLS_KEY_FILE: '/none/a.key' }

test('a service without a certificate speaks HTTP', () => {
  expect(tlsSettings(loadConfig({}))).toEqual({})
})

test('a service with a certificate speaks HTTPS, also at its default URL', () => {
  const config = loadConfig({ ...files, ANNALS_TLS_CLIENT_CA_FILE: '/none/ca.crt' })
  const tls = { certFile: '/none/a.crt', keyFile: '/none/a.key', clientCaFile: '/none/ca.crt' }
  expect(tlsSettings(config)).toEqual({ tls })
  expect(config.http.advertisedUrl).toBe('https://127.0.0.1:7400')
})

test('a file that cannot be used is named with its setting', async () => {
  const starting = createHttpServer({
    logger: createLogger({ name: 'service', level: 'silent' }),
    health: new HealthRegistry(),
    metrics: createMetrics({ service: 'test', processMetrics: false }),
    title: 'Annals',
    version: '0.0.0',
    bodyLimitBytes: 10_000,
    ...tlsSettings(loadConfig(files)),
  })
  await expect(starting.catch(rethrowTlsProblem)).rejects.toMatchObject({
    name: 'ConfigError',
    problems: [
      {
        key: 'ANNALS_TLS_CERT_FILE',
        value: '/none/a.crt',
        problem: expect.stringMatching(/cannot be read: ENOENT/) as unknown,
      },
    ],
  })
  await expect(Promise.reject(new TypeError('other')).catch(rethrowTlsProblem)).rejects.toThrow('other')
})
