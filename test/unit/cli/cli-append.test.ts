import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { metadataFields, type StreamId } from '#domain'

import { cliHere } from '../../support/cli/cli-here.ts'
import { testWriter } from '../../support/services/closing.ts'
import { InMemoryWriter } from '../../support/append/in-memory-writer.ts'

/** Appends one event with the command line. @returns the result, and data and metadata of the stored events. */
async function appended(data: string | Buffer, ...options: readonly string[]) {
  const api = new InMemoryWriter()
  const { url } = await testWriter(api)
  const annals = cliHere({ ANNALS_URL: url })
  const answer = await annals(['append', 'order.1', 'Placed', '--data', inFile(data), '--json', ...options])
  const { events } = await api.store.load('order.1' as StreamId)
  const metadata = events.map((event) => event.metadata)
  return { ...answer, stored: events.map((event) => event.data), metadata }
}

/** The value of `--data`: bytes are written to a file first. */
function inFile(data: string | Buffer): string {
  if (typeof data === 'string') return data
  const folder = mkdtempSync(join(tmpdir(), 'annals-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'data.json'), data)
  return `@${join(folder, 'data.json')}`
}

test.each<[string, string | Buffer]>([
  ['a file', Buffer.from('{"a":"café \ufffd"}')],
  ['a file with a byte order mark', Buffer.from('\ufeff{"a":"café \ufffd"}')],
  ['an escape', '{"a":"café \\ufffd"}'],
])('text from %s is stored unchanged', async (_, data) => {
  expect(await appended(data)).toMatchObject({ exitCode: 0, stored: [{ a: 'café \ufffd' }] })
})

test.each<[string, string | Buffer, string]>([
  ['a file in latin-1', Buffer.from('{"a":"café"}', 'latin1'), 'is not UTF-8'],
  ['a file that ends inside a character', Buffer.from('{"a":"\xe2\x82', 'latin1'), 'is not UTF-8'],
  ['an argument that the system had to replace', '{"a":"caf\ufffd"}', 'contains U+FFFD'],
])('%s is rejected', async (_, data, message) => {
  const { exitCode, stderr, stored } = await appended(data)
  expect({ exitCode, stored }).toEqual({ exitCode: 2, stored: [] })
  expect(stderr).toContain(message)
})

test.each<[string, string, string]>([
  ['1e400', '{"a":[1e400]}', 'events[0].data.a[0]'],
  ['a lone surrogate', '{"a":"\\ud800"}', 'events[0].data.a'],
  ['a lone surrogate in a key', '{"\\udfff":1}', 'events[0].data["\\udfff"]'],
  ['the key __proto__', '{"__proto__":{"a":1}}', 'events[0].data.__proto__'],
])('%s is rejected with its path', async (_, data, path) => {
  const answer = await appended(data)
  expect(answer).toMatchObject({ exitCode: 1, stored: [] })
  expect(answer.json()).toMatchObject({ error: { code: 'invalid-event', path } })
})

test('metadata comes from an option for each field, and from JSON with any own keys', async () => {
  const fields = metadataFields.flatMap((field) => [
    `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    `the ${field}`,
  ])
  const answer = await appended('{}', ...fields, '--metadata', '{"tenant":"acme","tries":2,"isTrial":false}')
  expect(answer.metadata).toEqual([
    {
      ...Object.fromEntries(metadataFields.map((field) => [field, `the ${field}`])),
      ...{ tenant: 'acme', tries: 2, isTrial: false },
    },
  ])
})

test.each([
  ['{"tenant":null}', 'metadata.tenant is null'],
  ['{"a b":"x"}', 'metadata["a b"] is not a metadata key'],
  ['tenant', 'is not JSON'],
])('metadata %s is rejected before anything is sent', async (metadata, message) => {
  const { exitCode, stderr, stored } = await appended('{}', '--metadata', metadata)
  expect({ exitCode, stored }).toEqual({ exitCode: 2, stored: [] })
  expect(stderr).toContain(message)
})
