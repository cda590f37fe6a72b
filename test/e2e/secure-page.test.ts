import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { blocksOf } from '../support/docs/docs-blocks.ts'
import { type DocsSandbox, docsSandbox } from '../support/docs/docs-sandbox.ts'
import { securePage } from '../support/docs/docs-walked-pages.ts'
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

/** Runs all commands of the page in one shell, in order, until one fails. */
async function runPage(): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  const blocks = blocksOf(securePage)
  for (const { file, code } of blocks) if (file !== undefined) sandbox.write(file, code)
  const commands = blocks.flatMap(({ language, code }) => (language === 'sh' ? [code] : []))
  const shell = spawn('bash', ['-c', `set -e -o pipefail\nexec 2>&1\n${commands.join('\n')}`], {
    cwd: sandbox.root,
    env: { ...process.env, ...stack.env },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [output, [exitCode]] = await Promise.all([
    text(shell.stdout),
    once(shell, 'close') as Promise<[number | null]>,
  ])
  return { exitCode, output }
}

// Two starts of the stack and twenty commands.
test('the commands of the page protect an installation', { timeout: 600_000 }, async () => {
  const { exitCode, output } = await runPage()
  expect(exitCode, output.slice(-5_000)).toBe(0)
  for (const line of [
    /Created key \S+ of shop with shop/,
    /HTTP interface +https:\/\//,
    /Appended|version 1/,
    /"userId": "shop"/,
    /no role of report grants append on customer\.c-1/,
    /denied, as it should be/,
    /Revoked key \S+ of report/,
    /access\.denied[^]*report|report[^]*access\.denied/,
    /access\.changed/,
    /0 failed/,
  ])
    expect(output).toMatch(line)
  for (const name of ['admin', 'shop', 'report', 'report-2']) {
    const key = readFileSync(join(sandbox.root, 'protected', `${name}.key`), 'utf8').trim()
    expect(key).toMatch(/^annals_/)
    expect(output).not.toContain(key)
  }
  expect(output).not.toContain(readFileSync(join(sandbox.root, 'protected', 'peer-secret'), 'utf8').trim())
})
