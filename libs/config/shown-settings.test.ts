import { expect, test } from 'vitest'

import { loadConfig } from './load-config.ts'
import { shownSettings } from './shown-settings.ts'

test('all effective settings are listed as they would be given', () => {
  const config = loadConfig({ ANNALS_KAFKA_PARTITIONS: '3', ANNALS_WRITER_APPEND_TIMEOUT: '90s' })
  const shown = shownSettings(config)
  expect(shown).toMatchObject({
    ANNALS_KAFKA_PARTITIONS: '3',
    ANNALS_WRITER_APPEND_TIMEOUT: '90s',
    ANNALS_HOST: '127.0.0.1',
  })
  expect(loadConfig(shown)).toEqual(config)
})

test('no secret is shown, wherever it occurs', () => {
  const shown = shownSettings(
    loadConfig({
      ANNALS_KAFKA_SASL_MECHANISM: 'PLAIN',
      ANNALS_KAFKA_SASL_USERNAME: 'ann',
      ANNALS_KAFKA_SASL_PASSWORD: 'hush-1',
      ANNALS_REDIS_URL: 'redis://ann:hush-2@one:1,redis://:hush-3@two:2',
      ANNALS_REGISTRY_URL: 'http://ann:hush-4@registry:1/api?user=ann&apiKey=hush-5&x=1',
      ANNALS_REGISTRY_PASSWORD: 'hush-6',
      ANNALS_REGISTRY_USERNAME: 'ann',
      ANNALS_PROJECTOR_POSTGRES_URL: 'postgres://ann:hush-7@db/views',
    }),
  )
  expect(JSON.stringify(shown)).not.toContain('hush')
  expect(shown).toMatchObject({
    ANNALS_REDIS_URL: 'redis://***@one:1,redis://***@two:2',
    ANNALS_REGISTRY_URL: 'http://***@registry:1/api?user=ann&apiKey=***&x=1',
  })
})
