import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import type { OperationProgress } from '../job-control.ts'
import { inferSchemas } from './infer-schemas.ts'

const line = JSON.stringify({ streamId: 'parcel.1', type: 'Placed', data: { on: '2024-05-31' } })

test('an inference that is aborted halfway reports what it has read, and writes nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'annals-infer-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'events.ndjson')
  // Several pieces of what is read at once.
  writeFileSync(file, `${line}\n`.repeat(10_000))
  const stop = new AbortController()
  const onProgress = ({ done, total = 0 }: OperationProgress) => {
    if (done > total / 2) stop.abort()
  }
  const versions = { byType: new Map<string, number>() }
  const inference = await inferSchemas(
    {
      from: { file, source: 'events', renamed: new Map(), schemaVersions: versions },
      ...{ aggregateType: 'parcel', folder, isWriting: true },
    },
    { signal: stop.signal, onProgress },
  )
  expect(inference).toMatchObject({ status: 'interrupted', schemas: [{ eventType: 'Placed' }] })
  expect(existsSync(join(folder, 'parcel'))).toBe(false)
})
