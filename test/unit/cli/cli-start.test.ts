import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

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
  const { stderr } = await promisify(execFile)(process.execPath, command, { cwd: repository })
  return JSON.parse(stderr) as string[]
}

const heavy = ['kafkajs', '@platformatic/kafka', 'ioredis', 'pg', 'fastify']

test('a command that calls no server loads no client library of a server', async () => {
  const loaded = await packagesOf(['--help'])
  expect(loaded).toContain('commander')
  expect(heavy.filter((name) => loaded.includes(name))).toEqual([])
})

test('a command that imports #service loads them', async () => {
  const loaded = await packagesOf(['version'])
  expect(heavy.filter((name) => loaded.includes(name))).toEqual(heavy)
})
