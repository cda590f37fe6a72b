import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { portVariables } from '../../scripts/local/settings.ts'
import { repository } from '../../scripts/stack/index.ts'
import { cliWith } from '../support/cli/cli.ts'
import { type DocsSandbox, docsSandbox } from '../support/docs/docs-sandbox.ts'
import { walk } from '../support/docs/docs-walk.ts'
import { securePage } from '../support/docs/docs-walked-pages.ts'
import { openToOthers } from '../support/operations/open-to-others.ts'
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

const made = (name: string): string => join(sandbox.root, '.annals', 'secure', name)
const contentOf = (name: string): string => readFileSync(made(name), 'utf8').trim()
const keys = ['shop', 'report', 'report-2'].map((name) => `${name}.token`)

/** What the command prints that reads a stream with a key; without a key, with none. */
async function printedFor(key?: string): Promise<string> {
  const env = { ANNALS_HOME: stack.folders.home, ANNALS_CA_FILE: made('ca.crt') }
  const login = key === undefined ? {} : { ANNALS_TOKEN: contentOf(key) }
  const annals = cliWith({ ...env, ...login }, join(repository, 'annals'))
  const { stdout, stderr } = await annals(['stream', 'show', 'customer.ada'])
  return stdout + stderr
}

const textsIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'))

/** Neither a log nor the state of the stack contains a credential of the page. */
function expectSecret(): void {
  const { logs, run } = stack.folders
  const texts = [logs, run].flatMap(textsIn)
  expect(texts.join('\n')).toContain('platform listens at https://')
  const secrets = keys.map((name) => contentOf(name).split('_').slice(2).join('_'))
  const peerSecret = /ANNALS_PEER_SECRET=(\S+)/.exec(contentOf('annals.env'))?.[1] ?? ''
  for (const secret of [...secrets, peerSecret]) {
    expect(secret.length).toBeGreaterThan(40)
    expect(texts.some((text) => text.includes(secret))).toBe(false)
  }
}

// Two starts of the stack and twenty commands: a minute on an idle machine, much more on a busy one.
test(
  'the commands of the page protect an installation and print what it shows',
  { timeout: 600_000 },
  async () => {
    const actual = ({ variable }: { readonly variable: string }) => Number(stack.env[variable])
    const ports = Object.fromEntries(Object.values(portVariables).map((one) => [one.port, actual(one)]))
    await walk(securePage, { sandbox, env: stack.env, annalsEnv: {}, ports })

    const within = { timeout: 20_000 }
    await expect.poll(() => printedFor('report.token'), within).toMatch(/the API key \S+ was revoked/)
    await expect.poll(() => printedFor('report-2.token'), within).toMatch(/customer\.ada[^]*version +2/i)
    expect(await printedFor()).toContain('the request has no credential')
    expect(openToOthers(made(''))).toEqual([])
    expectSecret()
  },
)
