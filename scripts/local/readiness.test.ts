import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { expect, onTestFinished, test } from 'vitest'

import { readinessOf, startedProbe } from './readiness.ts'

/** A service with this readiness response. */
async function serviceWith(status: number, checks: object): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ healthy: status === 200, checks }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
}

const dead = { topic: 'eventstore.race', partition: 2, state: 'events-deleted', reason: 'restore a backup' }

test('a ready service has no troubles; partitions that wait for an operator are listed with instructions', async () => {
  const well = await serviceWith(200, { kafka: { healthy: true, details: { topics: 1 } } })
  expect(await readinessOf(well)).toEqual({ isReady: true, troubles: [] })
  const degraded = await serviceWith(200, {
    partitions: { healthy: true, details: { owned: 8, waitForOperator: [dead] } },
    redis: { healthy: true },
  })
  expect(await readinessOf(degraded)).toEqual({
    isReady: true,
    troubles: ['partitions: eventstore.race/2 is events-deleted: restore a backup'],
  })
})

test('a service that is not ready reports the reason', async () => {
  const url = await serviceWith(503, {
    snapshots: { healthy: false, error: 'not yet' },
    redis: { healthy: false },
  })
  expect(await readinessOf(url)).toEqual({
    isReady: false,
    troubles: ['snapshots: not yet', 'redis: not ready'],
  })
})

test('a service that answers but does not become ready counts as started after a while; one that does not answer never does', async () => {
  let nowMs = 0
  const url = await serviceWith(503, { partitions: { healthy: false, error: 'catching up' } })
  const probe = startedProbe(url, 60_000, () => nowMs)
  expect(await probe()).toBe(false)
  nowMs = 60_000
  expect(await probe()).toBe(true)
  const ready = await serviceWith(200, {})
  expect(await startedProbe(ready, 60_000)()).toBe(true)
  await expect(startedProbe('http://127.0.0.1:1', 0)()).rejects.toThrow()
})
