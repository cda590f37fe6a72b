import { expect, onTestFinished, test } from 'vitest'

import { listen } from '#http'

import { freePorts } from '../../../scripts/stack/index.ts'
import { InMemoryWriter } from '../../support/append/in-memory-writer.ts'
import { bareServer } from '../../support/http/bare-server.ts'
import { callerOf } from '../../support/http/http-call.ts'
import { snapshotterRoutes } from '../../../services/snapshotter/index.ts'
import { writerRoutes } from '../../../services/writer/index.ts'

async function twoPorts() {
  const [port = 0, operationsPort = 0] = await freePorts(2)
  const server = await bareServer({ operationsPort })
  await server.register(writerRoutes(new InMemoryWriter()))
  await server.register(snapshotterRoutes({ snapshots: () => Promise.resolve([]) } as never))
  await listen(server, { host: '127.0.0.1', port, operationsPort })
  onTestFinished(() => server.close())
  return [port, operationsPort].map((at) => callerOf(`http://127.0.0.1:${at}`))
}

const append = { events: [{ type: 'OrderPlaced', data: {} }] }

test('routes of operators are served at their own port only, and all others not there', async () => {
  const [application, operations] = await twoPorts()
  const statuses = async (method: 'GET' | 'POST', path: string, body?: object) => [
    (await application?.(method, path, body))?.status,
    (await operations?.(method, path, body))?.status,
  ]
  expect(await statuses('GET', '/metrics')).toEqual([404, 200])
  expect(await statuses('POST', '/streams/order.1/events', append)).toEqual([201, 404])
  expect(await statuses('GET', '/streams/order.1/events')).toEqual([200, 404])
  expect(await statuses('GET', '/owners')).toEqual([200, 200])
  expect(await statuses('GET', '/health/live')).toEqual([200, 200])
  expect(await statuses('GET', '/openapi.json')).toEqual([200, 200])
  expect((await application?.('GET', '/metrics'))?.body).toMatchObject({
    code: 'route-not-found',
    detail: 'GET /metrics is not served at this port, but at ANNALS_OPERATIONS_PORT',
  })
})
