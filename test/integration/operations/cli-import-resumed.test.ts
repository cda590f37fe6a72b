import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { AnnalsClient } from '#client'
import { pageLimitMax } from '#event-store'

import { cliHere } from '../../support/cli/cli-here.ts'
import { allPurchases } from '../../support/services/cdnow.ts'
import { type Json, type RunCli } from '../../support/cli/cli.ts'
import { installation, type RealWriter, startRealWriter } from '../../support/services/real-writer.ts'
import { uniqueName, waitFor } from '../../support/stack/stack.ts'

const lines = 3_000
const where = installation({}, 3)
const folder = mkdtempSync(join(tmpdir(), 'annals-import-'))
const file = join(folder, 'purchases.txt')
let writer: RealWriter
let client: AnnalsClient
let annals: RunCli

beforeAll(async () => {
  writer = await startRealWriter(where)
  client = new AnnalsClient({ url: writer.url })
  annals = cliHere(environment())
  const all = readFileSync('examples/customers/cdnow.txt', 'utf8').split('\n')
  writeFileSync(file, `${all.slice(0, lines + 1).join('\n')}\n`)
})
afterAll(async () => {
  await client.close()
  await writer.close()
  where.domain.remove()
  rmSync(folder, { recursive: true })
})

const environment = () => ({ ANNALS_URL: writer.url, ANNALS_SCHEMAS: where.domain.schemaFolder })

/** The arguments of an import into an own aggregate type, in small batches. */
function importInto(type: string): { readonly args: readonly string[]; readonly checkpoint: string } {
  const [mapping, checkpoint] = [join(folder, uniqueName('mapping')), join(folder, uniqueName('checkpoint'))]
  const spec = JSON.parse(readFileSync('examples/customers/cdnow.mapping.json', 'utf8')) as object
  writeFileSync(mapping, JSON.stringify({ ...spec, stream: `${type}.{customer_id}` }))
  const args = ['import', file, '--mapping', mapping, '--checkpoint', checkpoint, '--batch', '20', '--json']
  return { args, checkpoint }
}

/** Starts the command in its own process, and resolves once events are acknowledged. */
async function startImport(
  args: readonly string[],
  checkpoint: string,
): Promise<ChildProcess & { stdout: NodeJS.ReadableStream }> {
  const child = spawn(process.execPath, ['services/cli/main.ts', ...args], {
    env: { PATH: process.env['PATH'], ...environment() },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await waitFor('the first checkpoint', () => Promise.resolve(existsSync(checkpoint)), { timeoutMs: 30_000 })
  return child
}

const lineIn = (checkpoint: string): number =>
  (JSON.parse(readFileSync(checkpoint, 'utf8')) as { line: number }).line

/** Expects every stream to contain the purchases of its customer once, in the order of the file. */
async function expectWhole(type: string): Promise<void> {
  const found = new Map<string, unknown[]>()
  for (let cursor: string | undefined, atEnd = false; !atEnd;) {
    const page = await client.readCategory(type, {
      limit: pageLimitMax,
      ...(cursor !== undefined && { cursor }),
    })
    for (const { streamId, data } of page.events) found.set(streamId, [...(found.get(streamId) ?? []), data])
    ;({ cursor, atEnd } = page)
  }
  const wanted = Map.groupBy(allPurchases().slice(0, lines), ({ customerId }) => `${type}.${customerId}`)
  expect(found.size).toBe(wanted.size)
  for (const [streamId, own] of wanted) {
    expect(found.get(streamId)).toEqual(own.map(({ date, cds, amount }) => ({ date, cds, amount })))
  }
}

test('Ctrl-C stops an import cleanly; the same command resumes after its checkpoint', async () => {
  const [type = ''] = where.domain.types
  const { args, checkpoint } = importInto(type)
  const child = await startImport(args, checkpoint)
  const ended = once(child, 'close')
  const printed = text(child.stdout)
  child.kill('SIGINT')
  expect(await ended).toEqual([130, null])
  const report = JSON.parse(await printed) as Json & { appended: number; line: number }
  expect(report).toMatchObject({ end: 'interrupted', events: lines })
  expect(report.appended).toBeLessThan(lines)
  // The header is a line too. The import waited for all appends in flight.
  expect(report.line).toBe(report.appended + 1)
  expect(lineIn(checkpoint)).toBe(report.line)
  const rest = await annals(args)
  expect(rest.json()).toMatchObject({
    end: 'done',
    skipped: report.appended,
    appended: lines - report.appended,
    alreadyThere: 0,
  })
  await expectWhole(type)
})

test('a killed import is resumed: no event is missing or duplicated', async () => {
  const [, type = ''] = where.domain.types
  const { args, checkpoint } = importInto(type)
  const child = await startImport(args, checkpoint)
  const ended = once(child, 'close')
  child.kill('SIGKILL')
  await ended
  expect(lineIn(checkpoint)).toBeLessThan(lines)
  expect((await annals(args)).json()).toMatchObject({ end: 'done' })
  await expectWhole(type)
  expect((await annals(args)).json()).toMatchObject({
    end: 'done',
    skipped: lines,
    appended: 0,
    alreadyThere: 0,
  })
})

test('a checkpoint of another import is refused', async () => {
  const [, , type = ''] = where.domain.types
  const { args, checkpoint } = importInto(type)
  writeFileSync(checkpoint, JSON.stringify({ fingerprint: 'other', line: 100 }))
  const refused = await annals(args)
  expect(refused.exitCode).toBe(2)
  expect(refused.stderr).toContain('is the checkpoint of another file, mapping or import')
  writeFileSync(checkpoint, 'what')
  expect((await annals(args)).stderr).toContain('is not the checkpoint of an import')
})
