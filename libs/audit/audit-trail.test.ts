import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { LogError, type LogRecord } from '#kafka'

import type { AuditEntry, AuditRecord } from './audit-entry.ts'
import type { AuditSink } from './audit-topic.ts'
import { AuditTrail } from './audit-trail.ts'
import { decodeEntry } from './decode-entry.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A topic in memory that can be away, refuse large batches, and hang. */
class TestSink implements AuditSink {
  readonly written: AuditRecord[] = []
  readonly batches: number[] = []
  failure: Error | undefined
  recordsMax = Infinity
  isHanging = false

  write(records: readonly LogRecord[]): Promise<void> {
    if (this.isHanging) return new Promise(() => undefined)
    if (this.failure !== undefined) return Promise.reject(this.failure)
    if (records.length > this.recordsMax) return Promise.reject(tooLarge)
    this.batches.push(records.length)
    for (const { headers, value } of records) {
      const decoded = decodeEntry({
        headers: headers.map(([name, text]) => [name, Buffer.from(text)]),
        value,
      })
      if (decoded !== undefined) this.written.push(decoded)
    }
    return Promise.resolve()
  }

  get types(): readonly string[] {
    return this.written.map(({ type }) => type.replace('annals.', ''))
  }
}

const tooLarge = new LogError('refused', 'too large', { kafkaCode: 'MESSAGE_TOO_LARGE' })
const away = new LogError('unavailable', 'no broker answers')

function trailWith(queue = { entriesMax: 10_000, bytesMax: 1 << 24 }) {
  const sink = new TestSink()
  const metrics = new Registry()
  const logger = { warn: vi.fn(), info: vi.fn() }
  const trail = new AuditTrail({
    sink,
    metrics,
    logger,
    queue,
    source: { service: 'writer', instance: 'w-1' },
  })
  const metric = async (name: string, label?: string) => {
    const { values = [] } = (await metrics.getSingleMetric(`annals_audit_${name}`)?.get()) ?? {}
    return values.find(({ labels }) => label === undefined || Object.values(labels).includes(label))?.value
  }
  return { sink, trail, metric, logger }
}

const act = (changes: Partial<AuditEntry> = {}): AuditEntry => ({
  ...{ type: 'annals.dead-letters.dropped', outcome: 'success', resource: 'projection:loans' },
  ...changes,
})
const denial = (name: string): AuditEntry => ({
  ...{ type: 'annals.access.denied', outcome: 'denied', code: 'forbidden', action: 'read' },
  principal: { name, kind: 'key' },
})

const settled = () => vi.advanceTimersByTimeAsync(0)

test('entries are written in order, between the start and the end of the process', async () => {
  const { sink, trail, metric } = trailWith()
  trail.record(act({ requestId: 'r-1' }))
  trail.record(act({ requestId: 'r-2' }))
  await settled()
  expect(sink.written.map(({ requestId }) => requestId)).toEqual([undefined, 'r-1', 'r-2'])
  await trail.close()
  expect(sink.types).toEqual([
    'audit.started',
    'dead-letters.dropped',
    'dead-letters.dropped',
    'audit.stopped',
  ])
  expect(await metric('written_total')).toBe(4)
  expect(vi.getTimerCount()).toBe(0)
})

test('while nothing can be written, requests go on; then everything is written, in batches', async () => {
  const { sink, trail, metric, logger } = trailWith()
  await settled()
  sink.failure = away
  for (let count = 0; count < 1_200; count++) trail.record(act({ requestId: `${count}` }))
  await vi.advanceTimersByTimeAsync(120_000)
  expect(await metric('queue_entries')).toBe(1_200)
  // Not once for each attempt.
  expect(logger.warn.mock.calls.length).toBeLessThanOrEqual(3)
  sink.failure = undefined
  await vi.advanceTimersByTimeAsync(10_000)
  expect(sink.written.slice(1).map(({ requestId }) => Number(requestId))).toEqual(
    Array.from({ length: 1_200 }, (_, count) => count),
  )
  expect(Math.max(...sink.batches)).toBeLessThanOrEqual(500)
  expect(logger.info).toHaveBeenCalledOnce()
  await trail.close()
})

test('beyond the bound entries are dropped and counted, and one entry says so when it works again', async () => {
  const { sink, trail, metric } = trailWith({ entriesMax: 20, bytesMax: 1 << 20 })
  await settled()
  sink.failure = away
  const sinceMs = Date.now()
  for (let count = 0; count < 50; count++) trail.record(act())
  await settled()
  expect(await metric('dropped_total', 'queue-full')).toBe(30)
  sink.failure = undefined
  await vi.advanceTimersByTimeAsync(10_000)
  const since = new Date(sinceMs).toISOString()
  expect(sink.written.at(-1)).toMatchObject({
    ...{ type: 'annals.audit.entries-dropped', outcome: 'failure', count: 30, since },
    reason: `30 entries were dropped since ${since}: the queue was full`,
  })
  expect(sink.types.filter((type) => type === 'audit.entries-dropped')).toHaveLength(1)
  await trail.close()
})

test('denials cannot push out what administrators do', async () => {
  const { sink, trail, metric } = trailWith({ entriesMax: 20, bytesMax: 1 << 20 })
  await settled()
  sink.failure = away
  for (let count = 0; count < 50; count++) trail.record(denial(`p-${count}`))
  for (let count = 0; count < 4; count++) trail.record(act())
  expect(await metric('dropped_total', 'queue-full')).toBe(34)
  sink.failure = undefined
  await vi.advanceTimersByTimeAsync(10_000)
  expect(sink.types.filter((type) => type === 'dead-letters.dropped')).toHaveLength(4)
  await trail.close()
})

test('a flood of denials is counted, the number follows, and the end of the process does not wait for it', async () => {
  const { sink, trail, metric } = trailWith()
  for (let count = 0; count < 1_000; count++) trail.record(denial('ada'))
  await vi.advanceTimersByTimeAsync(61_000)
  expect(sink.written.at(-1)).toMatchObject({ principal: { name: 'ada' }, count: 990 })
  expect(sink.written).toHaveLength(12)
  expect(await metric('denials_total')).toBe(1_000)
  for (let count = 0; count < 100; count++) trail.record(denial('ada'))
  await trail.close()
  expect(sink.written.at(-2)?.count).toBeGreaterThanOrEqual(89)
})

test('a topic that takes small batches only gets small ones; an entry that it never takes is dropped', async () => {
  const { sink, trail, metric } = trailWith()
  await settled()
  sink.recordsMax = 3
  for (let count = 0; count < 100; count++) trail.record(act())
  await vi.advanceTimersByTimeAsync(1_000)
  expect(sink.written).toHaveLength(101)
  sink.recordsMax = 0
  trail.record(act())
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await metric('dropped_total', 'too-large')).toBeGreaterThan(0)
  sink.recordsMax = Infinity
  trail.record(act({ requestId: 'last' }))
  await vi.advanceTimersByTimeAsync(20_000)
  expect(sink.types).toContain('audit.entries-dropped')
  await trail.close()
})

test.each<[string, () => AuditEntry]>([
  ['an impossible time', () => act({ timeMs: NaN })],
  ['no text where one belongs', () => act({ resource: 7 as never })],
  ['a principal that is null', () => act({ principal: null as never })],
  [
    'details that throw',
    () =>
      act({
        details: new Proxy(
          {},
          {
            ownKeys: () => {
              throw new Error('no')
            },
          },
        ),
      }),
  ],
])('an entry with %s throws nothing, and does not stop the others', async (_, entry) => {
  const { sink, trail } = trailWith()
  expect(() => trail.record(entry())).not.toThrow()
  trail.record(act({ requestId: 'next' }))
  await settled()
  expect(sink.written.some(({ requestId }) => requestId === 'next')).toBe(true)
  await trail.close()
})

test('a logger that fails does not end the trail', async () => {
  const { sink, trail, logger } = trailWith()
  await settled()
  logger.warn.mockImplementation(() => {
    throw new Error('disk full')
  })
  sink.failure = away
  trail.record(act())
  await vi.advanceTimersByTimeAsync(5_000)
  sink.failure = undefined
  await vi.advanceTimersByTimeAsync(20_000)
  expect(sink.types).toContain('dead-letters.dropped')
  await trail.close()
})

test.each([
  ['away', (sink: TestSink) => void (sink.failure = away)],
  ['silent', (sink: TestSink) => void (sink.isHanging = true)],
])(
  'the end of the process waits for its deadline only if Kafka is %s; what is lost is counted',
  async (_, fail) => {
    const { sink, trail, metric, logger } = trailWith()
    await settled()
    fail(sink)
    trail.record(act())
    const closing = trail.close(3_000)
    await vi.advanceTimersByTimeAsync(2_999)
    expect(logger.warn).not.toHaveBeenCalledWith({ lost: 2 }, expect.anything())
    await vi.advanceTimersByTimeAsync(1)
    await closing
    expect(logger.warn).toHaveBeenCalledWith(
      { lost: 2 },
      'the process ends before Kafka took all audit entries',
    )
    trail.record(act())
    expect(await metric('dropped_total', 'closed')).toBe(3)
  },
)

test('a process that ends still writes if Kafka comes back in time', async () => {
  const { sink, trail } = trailWith()
  await settled()
  sink.failure = away
  trail.record(act())
  await vi.advanceTimersByTimeAsync(60_000)
  const closing = trail.close(15_000)
  sink.failure = undefined
  await vi.advanceTimersByTimeAsync(15_000)
  await closing
  expect(sink.types.slice(-2)).toEqual(['dead-letters.dropped', 'audit.stopped'])
})
