import { expect, onTestFinished, test } from 'vitest'

import { AnnalsClient } from '#client'

import { as, eventsBody, limitedWriter } from '../../support/http/limited-writer.ts'

test('the client waits as long as it should and sends the same events again: all are appended once', async () => {
  const { api, url, rejected } = await limitedWriter({ defaults: { eventsPerSecond: 40 } })
  const client = new AnnalsClient({ url, headers: as('ada'), coalesce: { appendsMax: 10 } })
  onTestFinished(() => client.close())
  const startMs = performance.now()
  const { events } = eventsBody(1)
  await Promise.all(Array.from({ length: 80 }, (_, n) => client.append(`order.${n}`, events)))
  // 40 at once, the others in a second of refill.
  expect(performance.now() - startMs).toBeGreaterThan(950)
  expect(await rejected('events')).toBeGreaterThan(0)
  expect(api.requests.flat()).toHaveLength(80)
})

test('a caller that retries at once is answered later and later, and appends of others are answered at once', async () => {
  const limitRefusals = { promptMax: 2, heldMs: 1_000, heldMax: 100 }
  const { call, rejected } = await limitedWriter({
    limitRefusals,
    roles: { ada: { rules: [], limits: { eventsPerSecond: 1 } } },
  })
  const append = (name: string) => call('POST', '/streams/order.1/events', eventsBody(1), as(name))
  await append('ada')
  const startMs = performance.now()
  const flood = Promise.all(
    Array.from({ length: 4 }, async () => {
      let refused = 0
      while (performance.now() - startMs < 1_500) refused += (await append('ada')).status === 429 ? 1 : 0
      return refused
    }),
  )
  const before = performance.now()
  expect((await append('bob')).status).toBe(201)
  expect(performance.now() - before).toBeLessThan(limitRefusals.heldMs)
  await flood
  // Two are answered at once, and each of the four callers waits twice.
  expect(await rejected('events')).toBeLessThanOrEqual(16)
})
