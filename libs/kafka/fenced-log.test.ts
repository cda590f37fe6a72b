import { expect, test } from 'vitest'

import { sequenceAfter } from './fenced-log.ts'

// Same results as org.apache.kafka.common.record.DefaultRecordBatch#incrementSequence.
test.each([
  [0, 1, 1],
  [5, 1_000, 1_005],
  [2 ** 31 - 1, 1, 0],
  [2 ** 31 - 2, 1, 2 ** 31 - 1],
  [2 ** 31 - 3, 10, 7],
])('sequence %d and %d records lead to sequence %d', (sequence, records, next) => {
  expect(sequenceAfter(sequence, records)).toBe(next)
})
