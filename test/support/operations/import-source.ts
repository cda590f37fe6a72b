import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll } from 'vitest'

import type { AnnalsClient } from '#client'
import { type RecordedEvent, type StreamId, streamIdOf } from '#domain'

import { cliHere } from '../cli/cli-here.ts'
import type { RunCli } from '../cli/cli.ts'
import type { Installation } from '../services/real-writer.ts'
import { writerForFile } from '../services/writer-for-file.ts'
import { uniqueName } from '../stack/stack.ts'

/** So few ids that a second import meets a writer that has forgotten nearly all of the first. */
const few = '50'

/** A writer to import into, and the files to import. */
export interface ImportsForFile {
  readonly where: Installation
  readonly client: AnnalsClient
  readonly annals: RunCli
  /** The folder of all files. */
  readonly folder: string
  /** Writes a file and returns its path. */
  readonly write: (text: string) => string
  /** Writes a file of JSON lines and returns its path. */
  readonly jsonLines: (...lines: readonly string[]) => string
  /** A JSON line with a purchase. */
  readonly purchaseLine: (customer: string, cds: unknown, more?: object) => string
  /** Writes a mapping for tables with the columns customer, day, cds and amount, and returns its path. */
  readonly mapping: (prefix: string, changes?: object) => string
  readonly streamOf: (customer: string) => StreamId
  readonly events: (streamId: string) => Promise<RecordedEvent[]>
  /** The `cds` field of a stream's events. */
  readonly cdsOf: (streamId: string) => Promise<unknown[]>
}

/** A name for the customers of one test. */
export const fresh = () => uniqueName('c')

/** Starts a writer for all tests of a file, and stops it after them. Await it at the top level of the file. */
export async function importsForFile(): Promise<ImportsForFile> {
  const { where, writer, client } = await writerForFile({
    ANNALS_INDEX_REMEMBERED_IDS_MAX: few,
    ANNALS_WRITER_BATCH_EVENTS_MAX: few,
    ANNALS_WRITER_APPEND_EVENTS_MAX: few,
  })
  const folder = mkdtempSync(join(tmpdir(), 'annals-import-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const annals = cliHere({ ANNALS_URL: writer.url, ANNALS_SCHEMAS: where.domain.schemaFolder })
  const events = (streamId: string) => Array.fromAsync(client.readAll(streamId))
  const cdsOf = async (streamId: string) =>
    (await events(streamId)).map(({ data }) => (data as { cds: number }).cds)
  return { where, client, annals, folder, events, cdsOf, ...filesIn(folder, where.type) }
}

/** Functions that write files to import into streams of this type. */
function filesIn(
  folder: string,
  type: string,
): Pick<ImportsForFile, 'write' | 'jsonLines' | 'purchaseLine' | 'mapping' | 'streamOf'> {
  const write = (text: string) => {
    const file = join(folder, uniqueName('file'))
    writeFileSync(file, text)
    return file
  }
  const streamOf = (customer: string) => streamIdOf(type, customer)
  return {
    write,
    streamOf,
    jsonLines: (...lines) => write(`${lines.join('\n')}\n`),
    purchaseLine: (customer, cds, more = {}) =>
      JSON.stringify({ streamId: streamOf(customer), ...purchase(cds), ...more }),
    mapping: (prefix, changes = {}) => write(JSON.stringify({ ...table(type, prefix), ...changes })),
  }
}

const purchase = (cds: unknown) => ({
  type: 'PurchaseMade',
  data: { date: '1997-01-12', cds, amount: '12.50' },
})

const table = (type: string, prefix: string) => ({
  stream: `${type}.${prefix}-{customer}`,
  type: 'PurchaseMade',
  data: {
    date: { column: 'day', type: 'date', format: 'DD.MM.YYYY' },
    cds: { column: 'cds', type: 'integer' },
    amount: { column: 'amount', type: 'decimal', scale: 2, decimalPoint: ',' },
  },
  delimiter: ';',
})
