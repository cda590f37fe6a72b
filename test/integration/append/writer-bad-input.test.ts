import { beforeAll, expect, onTestFinished, test } from 'vitest'

import { newEventId, type StreamId, type Version } from '#domain'

import { KafkaProxy } from '../../support/kafka/kafka-proxy.ts'
import { testStack } from '../../support/stack/stack.ts'
import {
  freshStream,
  purchase,
  purchases,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'
import { writerForFile } from '../../support/services/writer-for-file.ts'

const limits = {
  ANNALS_KAFKA_PARTITIONS: '2',
  ANNALS_WRITER_APPEND_EVENTS_MAX: '20',
  ANNALS_WRITER_BATCH_EVENTS_MAX: '20',
  ANNALS_WRITER_QUEUE_EVENTS_MAX: '30',
  ANNALS_WRITER_APPEND_BYTES_MAX: '8KiB',
  ANNALS_BODY_BYTES_MAX: '32KiB',
}

const { where, writer, client } = await writerForFile(limits)
let streamId: StreamId

beforeAll(async () => {
  streamId = freshStream(where.type)
  await client.append(streamId, [purchase()])
})

interface Answer {
  readonly status: number
  readonly type: string | null
  readonly retryAfter: string | null
  readonly problem: Readonly<Record<string, unknown>>
}

async function post(path: string, body: unknown, url = writer.url): Promise<Answer> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    retryAfter: response.headers.get('retry-after'),
    problem: (await response.json()) as Answer['problem'],
  }
}

const good = purchase()
const withData = (data: object) => [
  { ...good, id: newEventId(), data: { date: '1997-01-12', cds: 1, amount: '1.00', ...data } },
]

const refusals: readonly [what: string, body: unknown, status: number, code: string, path?: string][] = [
  ['text that is not JSON', '{"events": [', 400, 'invalid-request'],
  ['no body', '', 400, 'invalid-request'],
  ['no events', {}, 400, 'invalid-request'],
  ['an empty list of events', { events: [] }, 400, 'invalid-request', 'events'],
  ['an unknown field', { events: [good], expect: 1 }, 400, 'invalid-request'],
  ['an unsupported expected version', { events: [good], expectedVersion: 'latest' }, 400, 'invalid-request'],
  ['a fractional expected version', { events: [good], expectedVersion: 1.5 }, 400, 'invalid-request'],
  ['a malformed event id', { events: [{ ...good, id: 'one' }] }, 400, 'invalid-request', 'events[0].id'],
  ['an unknown event type', { events: [{ ...good, type: 'Gone' }] }, 422, 'unknown-event-type'],
  [
    'a field of the wrong type',
    { events: withData({ amount: 'much' }) },
    422,
    'invalid-event',
    'events[0].data.amount',
  ],
  ['a missing field', { events: withData({ date: undefined }) }, 422, 'invalid-event', 'events[0].data.date'],
  [
    'a bad second event',
    { events: [good, ...withData({ cds: 2 ** 40 })] },
    422,
    'invalid-event',
    'events[1].data.cds',
  ],
  ['too many events', { events: purchases(21) }, 413, 'append-too-large'],
  [
    'too many bytes',
    { events: [{ ...good, metadata: { userId: 'x'.repeat(9_000) } }] },
    413,
    'append-too-large',
  ],
  [
    'a body beyond the limit',
    { events: [{ ...good, metadata: { userId: 'x'.repeat(40_000) } }] },
    413,
    'append-too-large',
  ],
  ['a wrong expected version', { events: [good], expectedVersion: 7 }, 409, 'wrong-expected-version'],
]

test.each(refusals)(
  '%s: refused with the right problem, and nothing is written',
  async (_, body, status, code, path) => {
    const { type, problem, ...answer } = await post(`/streams/${streamId}/events`, body)
    expect({ status: answer.status, code: problem['code'] }).toEqual({ status, code })
    expect(type).toMatch(/^application\/problem\+json/)
    expect(problem).toMatchObject({
      status,
      type: `urn:annals:problem:${code}`,
      retry: expect.any(String) as string,
    })
    expect(problem['detail']).toEqual(expect.any(String))
    if (path !== undefined) expect(problem['path']).toBe(path)
    expect((await client.load(streamId)).version).toBe(1)
  },
)

test('a missing aggregate type or stream is not found', async () => {
  const unknown = await post('/streams/unknown.1/events', { events: [purchase()] })
  expect(unknown).toMatchObject({ status: 404, problem: { code: 'category-not-found' } })
  for (const path of ['', '/state']) {
    const response = await fetch(`${writer.url}/streams/${freshStream(where.type)}${path}`)
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ code: 'stream-not-found' })
  }
})

test('an append of known and unknown ids is refused as a whole', async () => {
  const known = [purchase(), purchase()]
  const own = freshStream(where.type)
  await client.append(own, known)
  const answer = await post(`/streams/${own}/events`, {
    events: [...known, { ...purchase(), id: newEventId() }],
  })
  expect(answer).toMatchObject({
    status: 409,
    problem: { code: 'partial-duplicate', known: known.map(({ id }) => id) },
  })
  expect((await client.load(own)).version).toBe(2)
})

test('a bad append among many in one request does not affect the others', async () => {
  const own = freshStream(where.type)
  const { status, problem } = await post('/appends', {
    appends: [
      { streamId: own, events: [purchase()], expectedVersion: 'no-stream' },
      { streamId: own, events: withData({ amount: 1 }) },
      { streamId: own, events: [purchase()], expectedVersion: 'no-stream' },
      { streamId: own, events: [purchase()], expectedVersion: 1 },
    ],
  })
  expect(status).toBe(200)
  expect((problem['results'] as Answer[]).map((result) => result.status)).toEqual([201, 422, 409, 201])
  expect((await client.load(own)).version).toBe(2 as Version)
})

test('a full queue refuses immediately, says when to retry, and writes only what it accepted', async () => {
  const proxy = await KafkaProxy.start(testStack().kafkaBrokers[0] ?? '')
  onTestFinished(() => proxy.close())
  const slow = testInstallation({ ...limits, ANNALS_KAFKA_BROKERS: proxy.address })
  const { url } = await runningWriter(slow)
  const own = freshStream(slow.type)
  await post(`/streams/${own}/events`, { events: [purchase()] }, url)
  proxy.holdAppends()
  const answers = Array.from({ length: 40 }, () =>
    post(`/streams/${own}/events`, { events: purchases(5) }, url),
  )
  // Appends that fit neither the batches in flight nor the queue are refused while those still wait.
  await Promise.race(answers)
  proxy.releaseAppends()
  const heard = await Promise.all(answers)
  const refused = heard.filter(({ status }) => status !== 201)
  expect(refused).not.toEqual([])
  for (const { status, retryAfter, problem } of refused) {
    expect({ status, code: problem['code'], retry: problem['retry'] }).toEqual({
      status: 503,
      code: 'overloaded',
      retry: 'same-ids',
    })
    expect(Number(retryAfter)).toBeGreaterThan(0)
  }
  const info = (await (await fetch(`${url}/streams/${own}`)).json()) as { version: number }
  expect(info.version).toBe(1 + (heard.length - refused.length) * 5)
})
