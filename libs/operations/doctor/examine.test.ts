import { expect, test } from 'vitest'

import { loadConfig } from '#config'

import { examine } from './examine.ts'

const config = loadConfig({ ANNALS_DOMAIN: 'examples/customers/domain.ts' })
// Fails at once, without a connection.
const malformed = { ...config, kafka: { ...config.kafka, brokers: ['kafka'] } }

test('an interrupted doctor reports the finding of the connection that it has', async () => {
  const stop = new AbortController()
  const examination = await examine(malformed, { signal: stop.signal, onProgress: () => stop.abort() })
  expect(examination).toMatchObject({ status: 'interrupted', isHealthy: false })
  expect(examination.findings).toMatchObject([{ subject: 'Kafka', status: 'fail' }])
})

test('a doctor that checked nothing is not healthy', async () => {
  const examination = await examine(config, { signal: AbortSignal.abort() })
  expect(examination).toMatchObject({ status: 'interrupted', isHealthy: false, findings: [] })
})
