import { describe, expect, test } from 'vitest'

import { EventStoreError } from '#event-store'

import { testClient, testWriter } from '../../support/services/closing.ts'
import { InMemoryWriter } from '../../support/append/in-memory-writer.ts'

const event = { type: 'ItemAdded', data: { text: 'x'.repeat(200) } }
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

/** Answers when a gate is opened, and records the maximum number of concurrent requests. */
class GatedWriter extends InMemoryWriter {
  readonly gates: (() => void)[] = []
  inFlightMax = 0
  #inFlight = 0

  override async appendMany(requests: Parameters<InMemoryWriter['appendMany']>[0]) {
    this.#inFlight += 1
    this.inFlightMax = Math.max(this.inFlightMax, this.#inFlight)
    await new Promise<void>((resolve) => this.gates.push(resolve))
    this.#inFlight -= 1
    return super.appendMany(requests)
  }
}

const arrived = (writer: GatedWriter, count: number) =>
  expect.poll(() => writer.gates.length, { interval: 1 }).toBe(count)

describe('concurrent appends', () => {
  test('are sent at once while few are in flight, and together otherwise', async () => {
    const api = new GatedWriter()
    const { url } = await testWriter(api)
    const client = testClient({ url, coalesce: { inFlightMax: 2 } })
    const appends = []
    for (const n of [1, 2]) {
      appends.push(client.append(`order.${n}`, [event]))
      await arrived(api, n)
    }
    appends.push(...range(20).map((n) => client.append(`order.late-${n}`, [event])))
    api.gates[0]?.()
    await arrived(api, 3)
    api.gates.forEach((open) => open())
    await Promise.all(appends)
    expect(api.requests.map(({ length }) => length)).toEqual([1, 1, 20])
    expect(api.inFlightMax).toBe(2)
  })

  test('of the same tick share one request, each with its own result', async () => {
    const api = new InMemoryWriter()
    const { url } = await testWriter(api)
    const client = testClient({ url })
    const results = await Promise.all(
      range(100).map((n) => client.append(`order.${n}`, Array((n % 5) + 1).fill(event))),
    )
    expect(api.requests).toHaveLength(1)
    expect(results.map(({ streamId, lastVersion }) => [streamId, lastVersion])).toEqual(
      range(100).map((n) => [`order.${n}`, (n % 5) + 1]),
    )
  })

  test('are bounded in number and bytes per request', async () => {
    const api = new InMemoryWriter()
    const { url } = await testWriter(api)
    const few = testClient({ url, coalesce: { appendsMax: 7 } })
    await Promise.all(range(30).map((n) => few.append(`order.${n}`, [event])))
    expect(Math.max(...api.requests.map(({ length }) => length))).toBe(7)
    api.requests.length = 0
    const small = testClient({ url, coalesce: { bytesMax: 1_000 } })
    await Promise.all(range(10).map((n) => small.append(`order.${n}`, [event])))
    expect(Math.max(...api.requests.map(({ length }) => length))).toBe(2)
  })

  test('to one stream by a thousand callers get versions 1 to 1000, each once', async () => {
    const api = new InMemoryWriter()
    const { url } = await testWriter(api)
    const client = testClient({ url })
    const results = await Promise.all(range(1000).map(() => client.append('order.busy', [event])))
    expect(results.map(({ lastVersion }) => lastVersion).toSorted((a, b) => a - b)).toEqual(range(1000))
  })

  test('beyond the queue limit are rejected as overloaded when the tries are exhausted', async () => {
    const api = new GatedWriter()
    const { url } = await testWriter(api)
    const coalesce = { inFlightMax: 1, waitingBytesMax: 2_000 }
    const client = testClient({ url, coalesce, retries: { triesMax: 1 } })
    const first = client.append('order.1', [event])
    await arrived(api, 1)
    const refusals: unknown[] = []
    const others = range(10).map((n) =>
      client.append(`order.late-${n}`, [event]).catch((error: unknown) => refusals.push(error)),
    )
    await expect.poll(() => refusals.length).toBeGreaterThan(0)
    api.gates[0]?.()
    await arrived(api, 2)
    api.gates[1]?.()
    await Promise.all([first, ...others])
    expect(refusals.every((error) => error instanceof EventStoreError && error.code === 'overloaded')).toBe(
      true,
    )
    expect(api.requests[1]?.length).toBe(10 - refusals.length)
  })
})

test('an append that was queued for too long is rejected without being sent', async () => {
  const api = new GatedWriter()
  const { url } = await testWriter(api)
  const client = testClient({ url, coalesce: { inFlightMax: 1, waitingMsMax: 50 }, retries: { triesMax: 1 } })
  const first = client.append('order.1', [event])
  await arrived(api, 1)
  const late = client.append('order.2', [event]).catch((error: unknown) => error)
  await new Promise((resolve) => setTimeout(resolve, 60))
  api.gates[0]?.()
  await first
  expect(await late).toMatchObject({
    code: 'unavailable',
    message: 'the append waited 50 ms and was not sent',
  })
  expect(api.requests.flat()).toHaveLength(1)
})

describe('an invalid append does not affect others of its request', () => {
  test.each<[string, unknown, string, string]>([
    [
      'data that JSON cannot represent',
      { type: 'A', data: { big: 1n } },
      'invalid-event',
      'events[1].data.big',
    ],
    [
      'metadata of the wrong type',
      { type: 'A', data: {}, metadata: { userId: 7 } },
      'invalid-request',
      'events[1].metadata.userId',
    ],
    [
      'metadata that is no scalar value',
      { type: 'A', data: {}, metadata: { tenant: ['x'] } },
      'invalid-request',
      'events[1].metadata.tenant',
    ],
    ['an event without a type', { data: {} }, 'invalid-request', 'events[1].type'],
    ['a malformed id', { type: 'A', data: {}, id: 'second' }, 'invalid-request', 'events[1].id'],
  ])('%s', async (_, wrong, code, path) => {
    const { url } = await testWriter(new InMemoryWriter())
    const results = await testClient({ url }).appendMany(
      [[event], [event, wrong], [event]].map((events) => ({ streamId: 'order.1', events })) as never,
    )
    expect(
      results.map((result) => (result instanceof EventStoreError ? result.code : result.lastVersion)),
    ).toEqual([1, code, 2])
    expect(results[1]).toMatchObject({ details: { path } })
  })

  test('and a request that is too large for the writer is sent in parts', async () => {
    const { url } = await testWriter(new InMemoryWriter(), { bodyLimitBytes: 4_000 })
    const large = { type: 'A', data: 'x'.repeat(5_000) }
    const client = testClient({ url })
    const [one, ...others] = await client.appendMany(
      [[large], ...range(40).map(() => [event])].map((events) => ({ streamId: 'order.1', events })) as never,
    )
    expect(one).toMatchObject({ code: 'append-too-large' })
    expect(
      others.map((result) => !(result instanceof EventStoreError) && result.lastVersion).toSorted(),
    ).toEqual(range(40).toSorted())
  })
})
