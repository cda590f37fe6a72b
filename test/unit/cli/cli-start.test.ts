import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

import { expect, test } from 'vitest'

import { repository } from '../../../scripts/stack/index.ts'

/** Prints the loaded packages when the program ends. */
const listPackages = `
import { registerHooks } from 'node:module'
const packages = new Set()
registerHooks({
  load(url, context, next) {
    const [, name] = /\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? []
    if (name !== undefined) packages.add(name)
    return next(url, context)
  },
})
process.on('exit', () => process.stderr.write(JSON.stringify([...packages])))`

async function packagesOf(args: readonly string[]): Promise<readonly string[]> {
  const hooks = `data:text/javascript,${encodeURIComponent(listPackages)}`
  const command = ['--import', hooks, 'services/cli/main.ts', ...args]
  const child = spawn(process.execPath, command, { cwd: repository, stdio: ['ignore', 'ignore', 'pipe'] })
  const lines = (await text(child.stderr)).split('\n')
  return JSON.parse(lines.at(-1) ?? '') as string[]
}

const heavy = ['kafkajs', '@platformatic/kafka', 'ioredis', 'pg', 'fastify']

const append = ['append', 'customer.c-1', 'PurchaseMade', '--data', '{}', '--url', 'http://127.0.0.1:1']

test.each([
  ['the help', ['--help'], 'commander'],
  // It fails, because no writer listens there: it has loaded all that it needs by then.
  ['append', append, 'undici'],
])('%s loads no client library of Kafka, Redis or PostgreSQL', async (_, args, needed) => {
  const loaded = await packagesOf(args)
  expect(loaded).toContain(needed)
  expect(heavy.filter((name) => loaded.includes(name))).toEqual([])
})

test('a command that imports #service loads them', async () => {
  const loaded = await packagesOf(['version'])
  expect(heavy.filter((name) => loaded.includes(name))).toEqual(heavy)
})
