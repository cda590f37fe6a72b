import type { StoredRecord } from './record-batch.ts'

/**
 * A copy of a record to keep, in memory of its own. Slices of a fetch, and small buffers of Node.js' pool, would each keep
 * tens of kilobytes that others have long released.
 */
export function detachedRecord(record: StoredRecord): StoredRecord {
  const { key, value, headers } = record
  const length = headers.reduce((sum, [, bytes]) => sum + bytes.length, key.length + (value?.length ?? 0))
  const memory = Buffer.allocUnsafeSlow(length)
  let end = 0
  const copied = (bytes: Buffer): Buffer => memory.subarray(end, (end += bytes.copy(memory, end)))
  return {
    ...record,
    key: copied(key),
    value: value && copied(value),
    headers: headers.map(([name, bytes]) => [name, copied(bytes)]),
  }
}
