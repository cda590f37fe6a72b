import { zstdCompressSync } from 'node:zlib'
import { createRequire } from 'node:module'

import { expect, test } from 'vitest'

import { batchesIn } from './plain-batch.ts'
import { int16, int32, int64, int8 } from './cursor.ts'

const marker = (id: bigint, epoch: number, offset: bigint): Buffer => {
  const rest = Buffer.concat([
    ...[int32(0), int8(2), int32(0), int16(0b11_0000), int32(0), int64(77n), int64(77n)],
    ...[int64(id), int16(epoch), int32(-1), int32(1), Buffer.alloc(12)],
  ])
  return Buffer.concat([int64(offset), int32(rest.length), rest])
}

interface Encoder {
  readonly buffer: Buffer
}
type Encode = (batch: object) => Promise<Encoder>

/** What kafkajs sends: an independent encoder of the format. */
async function sentByKafkajs(compression: number, firstOffset: number): Promise<Buffer> {
  const kafkajs = createRequire(createRequire(import.meta.url).resolve('kafkajs'))
  const { RecordBatch: encode } = kafkajs('./src/protocol/recordBatch/v0') as { RecordBatch: Encode }
  const record = kafkajs('./src/protocol/recordBatch/record/v0') as (fields: object) => unknown
  const records = [
    record({ offsetDelta: 0, timestampDelta: 0, key: 'customer.1', value: 'one', headers: { ce_id: 'a' } }),
    record({ offsetDelta: 1, timestampDelta: 300, key: 'customer.1', value: null, headers: {} }),
  ]
  const fields = {
    compression,
    firstOffset,
    firstTimestamp: 5,
    maxTimestamp: 305,
    producerId: 9,
    producerEpoch: 3,
  }
  return (await encode({ ...fields, firstSequence: 0, lastOffsetDelta: 1, records })).buffer
}

const kafkajsCodecs = createRequire(import.meta.url)('kafkajs') as {
  CompressionCodecs: Record<number, () => object>
}
const zstd = 4
kafkajsCodecs.CompressionCodecs[zstd] = () => ({
  compress: ({ buffer }: Encoder) => Promise.resolve(zstdCompressSync(buffer)),
})

test.each([0, 1, zstd])('reads a batch of another client, compression %i', async (compression) => {
  const [batch] = batchesIn(await sentByKafkajs(compression, 12))
  expect(batch).toMatchObject({
    firstOffset: 12,
    lastOffset: 13,
    isMarker: false,
    producer: { id: '9', epoch: 3 },
  })
  expect(batch?.records).toEqual([
    { offset: 12, key: Buffer.from('customer.1'), value: Buffer.from('one'), headers: { ce_id: 'a' } },
    { offset: 13, key: Buffer.from('customer.1'), value: null, headers: {} },
  ])
})

test('reads markers, and leaves out a truncated batch', async () => {
  const second = await sentByKafkajs(0, 8)
  const batches = batchesIn(Buffer.concat([marker(12n, 4, 7n), second.subarray(0, -1)]))
  expect(batches).toEqual([
    ...[
      {
        firstOffset: 7,
        lastOffset: 7,
        isMarker: true,
        producer: { id: '12', epoch: 4 },
        timestampMs: 77,
        records: [],
      },
    ],
  ])
})
