import { setImmediate } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  FencedLog,
  type Followed,
  KafkaCluster,
  LogReader,
  type LogRecord,
  type StoredRecord,
  Topics,
} from '#kafka'

import { KafkaProxy } from '../../support/kafka/kafka-proxy.ts'
import { testStack, uniqueName, waitFor } from '../../support/stack/stack.ts'

const startMs = Date.UTC(2024, 0, 1)
const minuteMs = 60_000

/** The record with this number, one minute after the previous one. */
const record = (index: number, bytes = 20): LogRecord => ({
  key: Buffer.from(`order.${index % 7}`),
  value: Buffer.from(`${index}`.padEnd(bytes, '.')),
  headers: [['ce_id', `id-${index}`]],
  timestampMs: startMs + index * minuteMs,
})

const numberOf = ({ value }: StoredRecord): number => Number.parseInt(String(value), 10)
const count = (length: number, from = 0): number[] => Array.from({ length }, (_, index) => from + index)

describe('the log reader', () => {
  let cluster: KafkaCluster
  let reader: LogReader
  let topic: string
  /** Offsets of the records by number. The markers of ten take-overs are between them. */
  const offsets: number[] = []
  const total = 300

  beforeAll(async () => {
    cluster = await KafkaCluster.connect({ brokers: testStack().kafkaBrokers, clientId: 'reader' })
    reader = new LogReader(cluster)
    topic = await freshTopic()
    for (let term = 0; term < 10; term++)
      await appendTo(topic, count(total / 10, (term * total) / 10), offsets)
  })

  afterAll(() => cluster.close())

  async function freshTopic(configs: Record<string, string> = {}): Promise<string> {
    const name = uniqueName('reader')
    await new Topics(cluster).ensure([{ name, partitions: 1, replication: 1, configs }])
    return name
  }

  /** Appends records with these numbers under a new term, in batches of one to five. */
  async function appendTo(
    name: string,
    numbers: readonly number[],
    offsets: number[] = [],
  ): Promise<FencedLog> {
    const log = new FencedLog(cluster, name, 0)
    await log.takeOver()
    for (let next = 0, size = 1; next < numbers.length; next += size, size = (size % 5) + 1) {
      const batch = numbers.slice(next, next + size).map((index) => record(index))
      const { firstOffset } = await log.append(batch)
      offsets.push(...batch.map((_, index) => firstOffset + index))
    }
    return log
  }

  async function numbersIn(range: { from: number; until?: number }, by = reader): Promise<number[]> {
    const numbers: number[] = []
    for await (const records of by.read(topic, 0, range)) numbers.push(...records.map(numberOf))
    return numbers
  }

  test('reads a partition from end to end, in order, without its markers', async () => {
    expect(await numbersIn({ from: 0 })).toEqual(count(total))
    expect(await reader.endOffset(topic, 0)).toBe((offsets.at(-1) ?? 0) + 1)
    expect(await reader.startOffset(topic, 0)).toBe(0)
  })

  test('reads ranges with any bounds: in a batch, on a marker, beyond the end', async () => {
    const first = 40
    const last = 220
    for (const [from, until] of [
      [offsets[first] ?? 0, offsets[last] ?? 0],
      [(offsets[30] ?? 0) - 1, offsets[31] ?? 0],
      [7, 7],
    ] as const) {
      const expected = count(total).filter((n) => (offsets[n] ?? 0) >= from && (offsets[n] ?? 0) < until)
      expect(await numbersIn({ from, until })).toEqual(expected)
    }
    expect(await numbersIn({ from: await reader.endOffset(topic, 0) })).toEqual([])
  })

  test('reads the same records with fetches smaller than a batch', async () => {
    const small = new LogReader(cluster, { fetchBytesMax: 50 })
    expect(await numbersIn({ from: 0, until: offsets[60] ?? 0 }, small)).toEqual(count(60))
  })

  test('waits for an end that the log has not reached yet, and times out with an error that names it', async () => {
    const name = await freshTopic()
    const log = await appendTo(name, [0, 1])
    const end = await reader.endOffset(name, 0)
    const reading = (async () => {
      const numbers: number[] = []
      for await (const records of reader.read(name, 0, { from: 0, until: end + 1 })) {
        numbers.push(...records.map(numberOf))
      }
      return numbers
    })()
    await log.append([record(2), record(3)])
    expect(await reading).toEqual([0, 1, 2])

    const impatient = new LogReader(cluster, { timeoutMs: 200 })
    const waiting = impatient.read(name, 0, { from: end + 2, until: end + 10 }).next()
    await expect(waiting).rejects.toMatchObject({ outcome: 'unavailable' })
  })

  test('may be stopped in the middle', async () => {
    for await (const records of reader.read(topic, 0, { from: 0 })) {
      expect(numberOf(records[0] as StoredRecord)).toBe(0)
      break
    }
  })

  test('returns scattered records in the requested order, also from the cache', async () => {
    const wanted = count(total).filter((index) => index % 7 === 3)
    const shuffled = [...wanted].sort((a, b) => ((a * 7919) % 101) - ((b * 7919) % 101))
    const fresh = new LogReader(cluster)
    for (let round = 0; round < 2; round++) {
      const records = await fresh.fetchAt(
        topic,
        0,
        shuffled.map((index) => offsets[index] ?? -1),
      )
      expect(records.map(numberOf)).toEqual(shuffled)
      expect(records[0]).toMatchObject({
        offset: offsets[shuffled[0] ?? 0],
        timestampMs: startMs + (shuffled[0] ?? 0) * minuteMs,
        headers: [['ce_id', Buffer.from(`id-${shuffled[0]}`)]],
      })
    }
    const [a, b] = await reader.fetchAt(topic, 0, [offsets[5] ?? 0, offsets[5] ?? 0])
    expect(a).toEqual(b)
    expect(await reader.fetchAt(topic, 0, [])).toEqual([])
  })

  test('returns scattered records even if none fits the cache', async () => {
    const forgetful = new LogReader(cluster, { cacheBytesMax: 1 })
    const records = await forgetful.fetchAt(topic, 0, offsets.slice(0, 50))
    expect(records.map(numberOf)).toEqual(count(50))
  })

  test('fails for an offset without a record: a marker, or beyond the end', async () => {
    const marker = (offsets[30] ?? 0) - 1
    for (const offset of [marker, (offsets.at(-1) ?? 0) + 1, (offsets.at(-1) ?? 0) + 100]) {
      await expect(reader.fetchAt(topic, 0, [offsets[3] ?? 0, offset])).rejects.toMatchObject({
        outcome: 'not-there',
      })
    }
  })

  test('finds the offset to start at for a time', async () => {
    const name = await freshTopic()
    const log = new FencedLog(cluster, name, 0)
    const { endOffset } = await log.takeOver()
    const nowMs = Date.now()
    const timed = count(60).map((index) => ({
      ...record(index),
      timestampMs: nowMs + (index * minuteMs) / 2,
    }))
    for (const one of timed) await log.append([one])
    const at = (index: number): Promise<number> =>
      reader.offsetForTime(name, 0, Math.ceil(nowMs + (index * minuteMs) / 2))
    expect(await at(20)).toBe(endOffset + 20)
    expect(await at(20.5)).toBe(endOffset + 21)
    expect(await at(60)).toBe(await reader.endOffset(name, 0))
    // The marker of the take-over has the current time, whatever times the events have.
    expect(await at(-10)).toBe(endOffset - 1)
  })

  test('follows a partition: existing records, then new ones; markers advance the offset', async () => {
    const name = await freshTopic()
    const log = await appendTo(name, [0, 1, 2])
    const stop = new AbortController()
    const seen: Followed[] = []
    const following = (async () => {
      for await (const step of reader.follow(name, 0, 0, stop.signal)) seen.push(step)
    })()
    const numbers = (): number[] => seen.flatMap(({ records }) => records.map(numberOf))
    const caughtUp = async (expected: number): Promise<boolean> => {
      const end = await reader.endOffset(name, 0)
      const last = seen.at(-1)
      return numbers().length === expected && last?.nextOffset === end && last.highWatermark === end
    }
    await waitFor('the first three', () => caughtUp(3))
    await log.append([record(3), record(4)])
    await waitFor('two more', () => caughtUp(5))
    await log.renew()
    await waitFor('the marker to be passed', () => caughtUp(5))
    expect(numbers()).toEqual(count(5))
    stop.abort()
    // Its fetch still waits for more data. The follower must end without an answer from the broker.
    const ended = following.then(() => 'ended')
    expect(await Promise.race([ended, setImmediate('waits')])).toBe('ended')
  })

  test('following leaves no connection open', async () => {
    const proxy = await KafkaProxy.start(testStack().kafkaBrokers[0] ?? '')
    const proxied = await KafkaCluster.connect({ brokers: [proxy.address], clientId: 'follower' })
    const before = proxy.connections
    for (let round = 0; round < 5; round++) {
      const stop = new AbortController()
      const end = await reader.endOffset(topic, 0)
      const steps = new LogReader(proxied).follow(topic, 0, end, stop.signal)
      await steps.next()
      const waiting = steps.next()
      await waitFor('a connection', () => Promise.resolve(proxy.connections > before))
      stop.abort()
      expect(await waiting).toEqual({ done: true, value: undefined })
    }
    await waitFor('the connections to close', () => Promise.resolve(proxy.connections === before))
    await proxied.close()
    await proxy.close()
  })

  test('following an empty partition reports immediately that it is empty', async () => {
    const name = await freshTopic()
    const stop = new AbortController()
    for await (const step of reader.follow(name, 0, 0, stop.signal)) {
      expect(step).toEqual({ records: [], strays: [], nextOffset: 0, highWatermark: 0 })
      stop.abort()
    }
  })

  test.each(['gzip', 'snappy', 'lz4', 'zstd'])(
    'reads records that the broker has compressed with %s',
    async (name) => {
      const compressed = await freshTopic({ 'compression.type': name })
      await appendTo(compressed, count(40))
      const numbers: number[] = []
      for await (const records of reader.read(compressed, 0, { from: 0 }))
        numbers.push(...records.map(numberOf))
      expect(numbers).toEqual(count(40))
    },
  )

  test('a batch larger than a fetch is returned whole', async () => {
    const name = await freshTopic()
    const log = await appendTo(name, [0])
    await log.append([record(1, 400_000), record(2, 400_000)])
    const small = new LogReader(cluster, { fetchBytesMax: 1_000 })
    const numbers: number[] = []
    for await (const records of small.read(name, 0, { from: 0 })) numbers.push(...records.map(numberOf))
    expect(numbers).toEqual([0, 1, 2])
  })

  test('a topic that does not exist is unavailable, and the error names it', async () => {
    const impatient = new LogReader(cluster, { timeoutMs: 200 })
    await expect(impatient.endOffset('no-such-topic', 0)).rejects.toThrow(
      'topic no-such-topic cannot be found',
    )
  })
})
