import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { beforeEach, expect, onTestFinished, test } from 'vitest'

import { createUpcasterChain, streamIdOf } from '#domain'
import { EventStoreError, InMemoryEventStore } from '#event-store'
import { type EventCheck, eventCheckOf, loadCatalog } from '#schemas'

import { orderPlacedToV2 } from '../../../examples/orders/upcasters.ts'
import { type ImportRequest, runImport } from './run-import.ts'

const lines = [1, 2, 3, 4, 5, 6].map((number) =>
  JSON.stringify({
    ...{ streamId: 'order.1', type: 'OrderPlaced' },
    data: { customer: `c-${number}`, placedAt: '2024-05-31T09:30:00Z' },
  }),
)
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'annals-run-import-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

/** The schemas before the release that added the currency of orders. */
function beforeRelease(): EventCheck {
  mkdirSync(join(folder, 'schemas', 'order'), { recursive: true })
  const file = join('order', 'OrderPlaced.v1.avsc')
  copyFileSync(join('schemas', file), join(folder, 'schemas', file))
  return eventCheckOf(loadCatalog([join(folder, 'schemas')]))
}
const afterRelease = () => eventCheckOf(loadCatalog(['schemas']), createUpcasterChain([orderPlacedToV2]))

function requestOf(check: EventCheck, schemaVersion?: number): ImportRequest {
  const file = join(folder, 'orders.ndjson')
  writeFileSync(file, `${lines.join('\n')}\n`)
  const schemaVersions = {
    byType: new Map<string, number>(),
    ...(schemaVersion !== undefined && { byDefault: schemaVersion }),
  }
  return {
    from: { file, source: 'orders', renamed: new Map(), schemaVersions },
    ...{ check, isDryRun: false, batch: 1, errorsMax: 1, report: undefined },
    checkpoint: join(folder, 'checkpoint'),
  }
}
const run = (request: ImportRequest, store: Pick<InMemoryEventStore, 'append' | 'read'>) =>
  runImport(store, request, { signal: new AbortController().signal })

/** A store that becomes unavailable after some appends. It may have accepted the last of them. */
function leaving(store: InMemoryEventStore, appends: number) {
  let left = appends
  const append = async (...args: Parameters<InMemoryEventStore['append']>) => {
    if (left-- > 0) return store.append(...args)
    if (left === -1) await store.append(...args)
    throw new EventStoreError('unavailable', 'away')
  }
  return { append, read: store.read.bind(store) }
}

test('an import that a breaking release interrupted resumes with the older schema version', async () => {
  const store = new InMemoryEventStore()
  const first = requestOf(beforeRelease())
  await expect(run(first, leaving(store, 2))).rejects.toThrow('away')
  expect(await run(requestOf(afterRelease()), store)).toMatchObject({ status: 'refused', problemCount: 6 })
  const rest = await run(requestOf(afterRelease(), 1), store)
  expect(rest).toMatchObject({ status: 'done', problemCount: 0, appended: 3 })
  expect(rest.skipped + rest.alreadyThere).toBe(3)
  const { events } = await store.read(streamIdOf('order', '1'), { limit: 100 })
  expect(events.map(({ data }) => data)).toMatchObject([
    ...['c-1', 'c-2', 'c-3'].map((customer) => ({ customer })),
    ...['c-4', 'c-5', 'c-6'].map((customerId) => ({ customerId, currency: 'EUR' })),
  ])
})

test('lines without an id are counted', async () => {
  const { contents } = await run(requestOf(beforeRelease()), new InMemoryEventStore())
  expect(contents).toMatchObject({ events: 6, withoutId: 6 })
})
