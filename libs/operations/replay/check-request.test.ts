import { expect, test } from 'vitest'

import { checkRequest } from './check-request.ts'
import type { ReplayRequest } from './replay-request.ts'

const request: ReplayRequest = {
  ...{ aggregateType: 'order', filter: {}, dryRun: false, parallel: 1, timeoutMs: 1_000 },
  bounds: { partitions: [], fromOffsets: new Map(), untilOffsets: new Map() },
  destination: { kind: 'file', path: 'events.ndjson', format: 'ndjson' },
  ...{ skipUnreadable: false, resume: false, overwrite: false },
}

test.each<[string, Partial<ReplayRequest>, string]>([
  ['a dry run with a checkpoint', { dryRun: true, checkpoint: 'c' }, 'a dry run stores no checkpoint'],
  ['a dry run that resumes', { dryRun: true, resume: true }, 'a dry run stores no checkpoint'],
  ['to resume without a checkpoint', { resume: true }, '--resume needs a checkpoint'],
  ['a checkpoint in the file for the events', { checkpoint: './events.ndjson' }, 'the file for the events'],
])('%s is rejected', (_, options, message) => {
  const checked = () => checkRequest({ ...request, ...options })
  expect(checked).toThrow(message)
  expect(checked).toThrow(expect.objectContaining({ code: 'invalid-request' }))
})

test('a dry run without a checkpoint is accepted, and so is a checkpoint beside the file', () => {
  expect(() => checkRequest({ ...request, dryRun: true })).not.toThrow()
  expect(() => checkRequest({ ...request, checkpoint: 'events.ndjson.checkpoint' })).not.toThrow()
})
