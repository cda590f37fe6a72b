import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { format, resolveConfig } from 'prettier'

import { httpDocument } from './http-document.ts'
import { httpReference } from './http-reference.ts'
import { writeSdkReference } from './sdk-reference.ts'

const contents = `# API reference

Generated from the code by \`npm run docs:reference\`; a test checks that it is current.

- [HTTP API](http.md): every route of the writer, the snapshotter and the projector
- TypeScript libraries for services:
  - [client](client.md): \`AnnalsClient\`
  - [domain](domain.md): aggregates, events, projections, upcasters, the repository, given/when/then
  - [event-store](event-store.md): the port, its errors, the in-memory store
  - [consumer](consumer.md): a decoder of event topics for kafkajs consumers
  - [event-bus](event-bus.md): events for subscribers in the same process

The [guide](../guide/concepts.md) explains their use. The command line has [its own page](../operations/cli.md), and \`--help\` on every command.
`

/** The expected pages of docs/reference by file name. */
export async function reference(): Promise<ReadonlyMap<string, string>> {
  const pages = await sdkPages()
  pages.set('README.md', contents)
  pages.set('http.md', httpReference(await httpDocument()))
  const formatted = new Map<string, string>()
  for (const [name, text] of pages) formatted.set(name, await pretty(text))
  return formatted
}

async function sdkPages(): Promise<Map<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'annals-reference-'))
  try {
    await writeSdkReference(folder)
    const pages = new Map<string, string>()
    for (const name of await readdir(folder)) pages.set(name, await readFile(join(folder, name), 'utf8'))
    return pages
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const pretty = async (text: string): Promise<string> =>
  format(text, { ...(await resolveConfig(import.meta.filename)), parser: 'markdown' })
