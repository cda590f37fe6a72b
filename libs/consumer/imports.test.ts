import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

const program = `
import { registerHooks } from 'node:module'
const loaded = new Set()
registerHooks({
  load(url, context, next) {
    const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1] ?? /libs\\/[^/]+/.exec(url)?.[0]
    if (name !== undefined) loaded.add(name)
    return next(url, context)
  },
})
await import('./libs/consumer/index.ts')
console.log(JSON.stringify([...loaded]))
`

async function loadedByConsumer(): Promise<readonly string[]> {
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    cwd,
  })
  return JSON.parse(stdout) as readonly string[]
}

test('the decoder loads no client of Kafka, of the registry or of a store, and no server', async () => {
  const loaded = await loadedByConsumer()
  expect(loaded).toContain('avsc')
  const servers = ['config', 'http', 'kafka', 'observability', 'redis-index', 'service', 'sockets']
  expect(loaded.filter((name) => servers.includes(name.replace('libs/', '')))).toEqual([])
  const clients = [
    'kafkajs',
    '@platformatic/kafka',
    '@kafkajs/confluent-schema-registry',
    'ioredis',
    'pg',
    'fastify',
  ]
  expect(loaded.filter((name) => clients.includes(name))).toEqual([])
})
