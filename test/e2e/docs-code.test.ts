import { afterEach, beforeEach, expect, test } from 'vitest'

import { portVariables } from '../../scripts/local/settings.ts'
import { blocksOf, documentedPages } from '../support/docs/docs-blocks.ts'
import { codeOf } from '../support/docs/docs-programs.ts'
import { type DocsSandbox, docsSandbox } from '../support/docs/docs-sandbox.ts'
import { type Ground, runProgram, walk } from '../support/docs/docs-walk.ts'
import { walkedPages } from '../support/docs/docs-walked-pages.ts'
import { type LocalStack, localStack } from './local-stack.ts'

let sandbox: DocsSandbox
let stack: LocalStack
beforeEach(async () => {
  sandbox = docsSandbox()
  stack = await localStack()
})
afterEach(async () => {
  await stack.remove()
  sandbox.remove()
})

function ground(): Ground {
  const port = (name: keyof typeof portVariables) => stack.env[portVariables[name].variable] ?? ''
  return {
    sandbox,
    env: stack.env,
    annalsEnv: {
      ANNALS_URL: `http://127.0.0.1:${port('platform')}`,
      ANNALS_KAFKA_BROKERS: `127.0.0.1:${port('kafka')}`,
      ANNALS_REDIS_URL: `redis://127.0.0.1:${port('redis')}`,
      ANNALS_REGISTRY_URL: `http://127.0.0.1:${port('registry')}/apis/ccompat/v7`,
    },
    ports: Object.fromEntries(
      Object.values(portVariables).map((one) => [one.port, Number(stack.env[one.variable])]),
    ),
  }
}

// Two starts of the stack and a dozen commands: a minute on an idle machine, much more on a busy one.
const timeout = 600_000

test.each(walkedPages)('the commands of %s print what the page shows', { timeout }, async (page) => {
  await walk(page, ground())
})

test('the client examples of the pages run against a platform', { timeout }, async () => {
  expect(await stack.run('start.sh', ['--detach', '--no-demo'])).toMatchObject({ exitCode: 0 })
  const others = documentedPages().filter((page) => !walkedPages.includes(page))
  const live = others.filter((page) => codeOf(page, blocksOf(page)).program?.isLive)
  expect(live.length).toBeGreaterThan(0)
  for (const page of live) await runProgram(page, ground())
})
