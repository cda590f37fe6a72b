import { promisify } from 'node:util'

import {
  type Callback,
  type Connection,
  fetchV13,
  type Reader,
  ResponseError,
  type ResponseParser,
  produceV9,
  Writer,
} from '@platformatic/kafka'

import { splitBatches, type StoredBatch } from './record-batch.ts'

// Produce and fetch use the client's connection with request bodies encoded here. The client's produce encodes again for each
// attempt. Its fetch decodes all records; this one skips those outside the range.

interface Api<Answer> {
  readonly key: number
  readonly version: number
  readonly parse: ResponseParser<Answer>
}

const send = promisify(
  <Answer>(
    connection: Connection,
    api: Api<Answer>,
    body: () => Writer,
    callback: Callback<Answer>,
  ): void => {
    connection.send(api.key, api.version, body, api.parse, true, true, callback)
  },
) as <Answer>(connection: Connection, api: Api<Answer>, body: () => Writer) => Promise<Answer>

const allReplicas = -1

interface ProduceRequest {
  readonly topic: string
  readonly partition: number
  readonly batch: Buffer
  /** How long the leader may wait for its followers. */
  readonly timeoutMs: number
}

/** Appends one encoded batch. @returns the offset of its first record. */
export async function produce(connection: Connection, request: ProduceRequest): Promise<number> {
  const answer = await send(connection, produceApi, () =>
    Writer.create()
      .appendString(null) // no transactional id: a plain idempotent batch
      .appendInt16(allReplicas)
      .appendInt32(request.timeoutMs)
      .appendArray([request], (topics, { topic }) => {
        topics.appendString(topic).appendArray([request], (partitions, { partition, batch }) => {
          partitions
            .appendInt32(partition)
            .appendUnsignedVarInt(batch.length + 1)
            .append(batch)
        })
      })
      .appendTaggedFields(),
  )
  const offset = answer.responses[0]?.partitionResponses[0]?.baseOffset
  if (offset === undefined) throw new Error('the broker answered a produce request without a partition')
  return Number(offset)
}

const produceApi: Api<ReturnType<typeof produceV9.parseResponse>> = {
  key: produceV9.api.key,
  version: produceV9.api.version,
  parse: produceV9.parseResponse,
}

interface FetchRequest {
  readonly topicId: string
  readonly partition: number
  readonly offset: number
  /** The first batch is returned whole even if it is larger. */
  readonly bytesMax: number
  /** How long the broker may hold the request while no data arrives. */
  readonly waitMsMax: number
}

export interface Fetched {
  /** The offset after the last record that all in-sync replicas have. A fetch returns nothing beyond it. */
  readonly highWatermark: number
  readonly batches: readonly StoredBatch[]
}

const readUncommitted = 0
const noSession = { id: 0, epoch: -1 }

/** Fetches batches, starting with the one that contains the offset. Nothing is filtered, because there are no data transactions. */
export function fetchBatches(connection: Connection, request: FetchRequest): Promise<Fetched> {
  const { topicId, partition, offset, bytesMax, waitMsMax } = request
  const asked = {
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: BigInt(offset),
    lastFetchedEpoch: -1,
    partitionMaxBytes: bytesMax,
  }
  return send(connection, fetchApi, () =>
    fetchV13.createRequest(
      waitMsMax,
      1,
      bytesMax,
      readUncommitted,
      noSession.id,
      noSession.epoch,
      [{ topicId, partitions: [asked] }],
      [],
      '',
    ),
  )
}

// Fetch response, version 13, for one partition: https://kafka.apache.org/protocol#The_Messages_Fetch
function parseFetch(_correlation: number, key: number, version: number, reader: Reader): Fetched {
  reader.readInt32() // throttle time
  const failure = reader.readInt16()
  reader.readInt32() // session
  if (failure !== 0) throw new ResponseError(key, version, { '/': [failure, null] }, undefined)
  const topics = reader.readUnsignedVarInt() - 1
  if (topics < 1) return { highWatermark: 0, batches: [] }
  reader.readUUID()
  reader.readUnsignedVarInt() // partitions: one
  return parsePartition(key, version, reader)
}

function parsePartition(key: number, version: number, reader: Reader): Fetched {
  reader.readInt32() // partition
  const failure = reader.readInt16()
  if (failure !== 0) throw new ResponseError(key, version, { '/': [failure, null] }, undefined)
  const highWatermark = Number(reader.readInt64())
  reader.readInt64() // last stable offset
  reader.readInt64() // log start offset
  const aborted = reader.readUnsignedVarInt() - 1
  for (let left = aborted; left > 0; left--) {
    reader.skip(16)
    reader.readTaggedFields()
  }
  reader.readInt32() // preferred read replica
  const byteLength = reader.readUnsignedVarInt() - 1
  if (byteLength <= 0) return { highWatermark, batches: [] }
  const bytes = reader.buffer.slice(reader.position, reader.position + byteLength)
  return { highWatermark, batches: splitBatches(bytes) }
}

const fetchApi: Api<Fetched> = { key: fetchV13.api.key, version: fetchV13.api.version, parse: parseFetch }
