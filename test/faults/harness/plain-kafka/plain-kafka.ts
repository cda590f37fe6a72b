import { int32, int64, int8, only, string } from './cursor.ts'
import { batchesIn, type PlainBatch } from './plain-batch.ts'
import { connected, type PlainConnection } from './plain-connection.ts'

const fetchBytesMax = 4 << 20
const fetchWaitMs = 200
/** Consecutive empty fetches before the end: a leader may still be catching up. */
const emptyFetchesMax = 50
const deleteMsMax = 10_000
const latest = -1n
const earliest = -2n

interface PartitionPlace {
  readonly topic: string
  readonly partition: number
}

/** Addresses of the leaders of a topic's partitions; none if there is no such topic. */
export function leadersOf(brokers: readonly string[], topic: string): Promise<readonly string[]> {
  return anyOf(brokers, (address) => connected(address, (connection) => leadersBy(connection, topic)))
}

/** The leaders as one broker reports them. */
export async function leadersBy(connection: PlainConnection, topic: string): Promise<readonly string[]> {
  const answer = await connection.ask({ key: 3, version: 1, body: only(string(topic)) })
  const nodes = answer.array(() => {
    const [id, host, port] = [answer.int32(), answer.string(), answer.int32()]
    answer.string() // rack
    return [id, `${host}:${port}`] as const
  })
  const addresses = new Map(nodes)
  answer.int32() // controller
  const [partitions = []] = answer.array(() => {
    answer.int16() // error
    answer.string()
    answer.int8()
    return answer.array(() => {
      answer.int16()
      const [partition, leader] = [answer.int32(), answer.int32()]
      answer.array(() => answer.int32())
      answer.array(() => answer.int32())
      return { partition, leader }
    })
  })
  return partitions
    .toSorted((one, other) => one.partition - other.partition)
    .map(({ leader }) => addresses.get(leader) ?? '')
}

interface PlainLog {
  /** The offset of the first remaining record. */
  readonly startOffset: number
  readonly batches: readonly PlainBatch[]
}

/**
 * Reads a partition from its first offset to its current end. @throws Error when its leader does not respond, or stops
 * before the end.
 */
export function readPartition(leader: string, place: PartitionPlace): Promise<PlainLog> {
  return connected(leader, async (connection) => {
    const startOffset = await offsetOf(connection, place, earliest)
    const end = await offsetOf(connection, place, latest)
    return { startOffset, batches: await readRange(connection, place, startOffset, end) }
  })
}

/** Reads the last batches of a partition, from an offset before its end. */
export function readTail(
  leader: string,
  place: PartitionPlace,
  offsets: number,
): Promise<readonly PlainBatch[]> {
  return connected(leader, async (connection) => {
    const start = await offsetOf(connection, place, earliest)
    const end = await offsetOf(connection, place, latest)
    return readRange(connection, place, Math.max(start, end - offsets), end)
  })
}

/** DeleteRecords: moves the start of the partition to an offset. */
export function deleteRecords(leader: string, place: PartitionPlace, before: number): Promise<void> {
  const { topic, partition } = place
  const asked = only(string(topic), only(int32(partition), int64(BigInt(before))))
  const body = Buffer.concat([asked, int32(deleteMsMax)])
  return connected(leader, async (connection) => {
    const answer = await connection.ask({ key: 21, version: 1, body })
    answer.int32() // throttle
    answer.array(() => {
      answer.string()
      return answer.array(() => {
        answer.int32()
        answer.int64() // its new start
        checkError(answer.int16(), place)
      })
    })
  })
}

async function readRange(
  connection: PlainConnection,
  place: PartitionPlace,
  from: number,
  end: number,
): Promise<PlainBatch[]> {
  const read: PlainBatch[] = []
  let next = from
  for (let empty = 0; next < end;) {
    const batches = (await fetchFrom(connection, place, next)).filter(({ lastOffset }) => lastOffset >= next)
    const last = batches.at(-1)
    if (last === undefined && ++empty > emptyFetchesMax)
      throw new Error(`${place.topic}/${place.partition} cannot be read beyond ${next}; it ends at ${end}`)
    if (last === undefined) continue
    read.push(...batches)
    next = last.lastOffset + 1
    empty = 0
  }
  return read
}

async function offsetOf(connection: PlainConnection, place: PartitionPlace, time: bigint): Promise<number> {
  const { topic, partition } = place
  const asked = only(string(topic), only(int32(partition), int64(time)))
  const answer = await connection.ask({ key: 2, version: 1, body: Buffer.concat([int32(-1), asked]) })
  const [[offset = -1n] = []] = answer.array(() => {
    answer.string()
    return answer.array(() => {
      answer.int32()
      checkError(answer.int16(), place)
      answer.int64() // its time
      return answer.int64()
    })
  })
  return Number(offset)
}

async function fetchFrom(
  connection: PlainConnection,
  place: PartitionPlace,
  offset: number,
): Promise<PlainBatch[]> {
  const { topic, partition } = place
  const bounds = [int32(-1), int32(fetchWaitMs), int32(1), int32(fetchBytesMax), int8(0)]
  const asked = only(string(topic), only(int32(partition), int64(BigInt(offset)), int32(fetchBytesMax)))
  const answer = await connection.ask({ key: 1, version: 4, body: Buffer.concat([...bounds, asked]) })
  answer.int32() // throttle
  const [[bytes = Buffer.alloc(0)] = []] = answer.array(() => {
    answer.string()
    return answer.array(() => {
      answer.int32()
      checkError(answer.int16(), place)
      answer.int64() // high watermark
      answer.int64() // last stable offset
      answer.array(() => [answer.int64(), answer.int64()]) // aborted transactions
      return answer.bytes(Math.max(0, answer.int32()))
    })
  })
  return batchesIn(bytes)
}

function checkError(code: number, { topic, partition }: PartitionPlace): void {
  if (code !== 0) throw new Error(`the leader of ${topic}/${partition} answers error ${code}`)
}

/** The coordinator has no such transactional id: it never had one, or has forgotten it. */
const idNotFound = 105

/** Whether the cluster still has a transactional id. @throws Error when its coordinator does not respond. */
export async function isIdKnown(brokers: readonly string[], transactionalId: string): Promise<boolean> {
  const coordinator = await anyOf(brokers, (address) =>
    connected(address, (connection) => coordinatorBy(connection, transactionalId)),
  )
  const id = Buffer.from(transactionalId)
  const compact = Buffer.concat([Buffer.from([2, id.length + 1]), id, Buffer.from([0])])
  const code = await connected(coordinator, async (connection) => {
    const answer = await connection.ask({ key: 65, version: 0, body: compact, isFlexible: true })
    answer.int32() // throttle
    answer.unsignedVarint() // one state
    return answer.int16()
  })
  if (code !== 0 && code !== idNotFound)
    throw new Error(`the coordinator of ${transactionalId} answers error ${code}`)
  return code === 0
}

async function coordinatorBy(connection: PlainConnection, transactionalId: string): Promise<string> {
  const answer = await connection.ask({
    key: 10,
    version: 1,
    body: Buffer.concat([string(transactionalId), int8(1)]),
  })
  answer.int32() // throttle
  const code = answer.int16()
  answer.string()
  answer.int32()
  if (code !== 0) throw new Error(`no coordinator of ${transactionalId}: error ${code}`)
  return `${answer.string()}:${answer.int32()}`
}

async function anyOf<T>(brokers: readonly string[], ask: (address: string) => Promise<T>): Promise<T> {
  const failures: unknown[] = []
  for (const broker of brokers) {
    try {
      return await ask(broker)
    } catch (error) {
      failures.push(error)
    }
  }
  throw new AggregateError(failures, `no broker of ${brokers.join(', ')} answers`)
}
