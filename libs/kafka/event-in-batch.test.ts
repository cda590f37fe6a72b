import fc from 'fast-check'
import { expect, test } from 'vitest'

import { fromStoredRecord, toLogRecord } from '#event-log/records'
import { anyEncodedEvent } from '#event-log/testing'

import { encodeBatch, splitBatches } from './record-batch.ts'

const producer = { producerId: 1n, epoch: 0, sequence: 0 }

test('events round-trip through the records of a batch', () => {
  fc.assert(
    fc.property(fc.array(anyEncodedEvent, { minLength: 1, maxLength: 5 }), (events) => {
      const batches = splitBatches(encodeBatch(events.map(toLogRecord), producer))
      expect(batches.flatMap((batch) => batch.records().map(fromStoredRecord))).toEqual(events)
    }),
  )
})
