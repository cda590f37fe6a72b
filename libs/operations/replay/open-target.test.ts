import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'

import { expect, onTestFinished, test } from 'vitest'

import { loadConfig } from '#config'

import { openLines } from './open-target.ts'

const config = loadConfig({ ANNALS_DOMAIN: 'examples/customers/domain.ts' })

test('after an abort no file is opened, so that the events of an earlier replay stay', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'annals-open-target-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'events.ndjson')
  writeFileSync(path, 'an event\n')
  const stop = new AbortController()
  const parts = {
    ...{ config, signal: stop.signal },
    source: { name: 'eventstore.customer', partitions: 1 },
    request: {
      ...{ aggregateType: 'customer', filter: {}, dryRun: false, parallel: 1, timeoutMs: 1_000 },
      bounds: { partitions: [], fromOffsets: new Map(), untilOffsets: new Map() },
      destination: { kind: 'file' as const, path, format: 'ndjson' as const },
      ...{ skipUnreadable: false, resume: false, overwrite: true },
    },
    ...{ lines: new PassThrough(), fileBytes: undefined },
  }
  const opening = openLines(parts, 'ndjson')
  // While the schemas are loaded.
  stop.abort()
  await expect(opening).rejects.toBe(stop.signal.reason)
  expect(readFileSync(path, 'utf8')).toBe('an event\n')
})
