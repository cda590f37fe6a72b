import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { loadConfig } from '#config'
import { eventTopic, newEventId, type StreamId } from '#domain'
import { LogReader } from '#kafka'
import { type Backends, openBackends } from '#service'

import { fuzzFactor, fuzzSettings } from '../../fuzz/fuzz-settings.ts'
import { fuzzedRequest } from '../../fuzz/fuzzed-request.ts'
import { faultOf } from '../../fuzz/judge-answer.ts'
import { type FuzzedRoute, routesOf } from '../../fuzz/openapi-requests.ts'
import { bytesOf, type RawAnswer, type RawRequest, sendBytes } from '../../fuzz/raw-http.ts'
import { callerOf } from '../../support/http/http-call.ts'
import { type Installation, installation } from '../../support/services/real-writer.ts'
import { type ServiceProcess, startServiceProcess } from '../../support/services/service-process.ts'
import { freshStream, purchase } from '../../support/services/writer-fixture.ts'

const runsEach = 25
const partitions = 2

let where: Installation
let platform: ServiceProcess
let backends: Backends
let reader: LogReader
let streamId: StreamId
let routes: FuzzedRoute[]

beforeAll(async () => {
  where = installation({
    ANNALS_KAFKA_PARTITIONS: String(partitions),
    ANNALS_BODY_BYTES_MAX: '256KiB',
    ANNALS_WRITER_APPEND_BYTES_MAX: '64KiB',
    ANNALS_PROJECTOR_AFTER_TIMEOUT: '300ms',
  })
  platform = await startServiceProcess('platform', where)
  backends = await openBackends(loadConfig(where.env))
  reader = new LogReader(backends.cluster)
  streamId = freshStream(where.type)
  const call = callerOf(platform.url)
  const appended = await call('POST', `/streams/${streamId}/events`, { events: [purchase(), purchase()] })
  const { body } = await call('GET', '/openapi.json')
  routes = routesOf(body, (name, path) => known(String(appended.body['position']))(name, path))
})
afterAll(async () => {
  await backends.close()
  await platform.stop()
  where.domain.remove()
})

/** Valid values for the routes' fields. A new field needs a line only if its example is not valid here. */
const known =
  (position: string) =>
  (name: string, path: string): unknown => {
    const isEvents = path.endsWith('/events') || path === '/appends'
    const values: Readonly<Record<string, unknown>> = {
      streamId,
      data: purchase().data,
      name: where.domain.projections.lifetime,
      key: streamId.slice(streamId.indexOf('.') + 1),
      type: path.startsWith('/streams') || path === '/appends' ? 'PurchaseMade' : where.type,
      eventType: 'PurchaseMade',
      positions: [position],
      after: position,
      untilPosition: position,
      ...Object.fromEntries(
        ['from', 'until', 'at', 'untilTime'].map((each) => [each, new Date().toISOString()]),
      ),
      orderBy: 'spend',
      'last-event-id': '0,0',
      cursor: '0,0',
      ...(path.startsWith('/streams/') && { id: streamId }),
      ...(path.includes('/generations/') && { id: newEventId() }),
      ...(isEvents && { expectedVersion: 'any' }),
    }
    return values[name]
  }

async function recordsInLog(): Promise<number> {
  const numbers = Array.from({ length: partitions }, (_, partition) => partition)
  const ends = await Promise.all(numbers.map((each) => reader.endOffset(eventTopic(where.type), each)))
  return ends.reduce((sum, end) => sum + end)
}

/** The number of events that an answer reports as appended. */
function acknowledged({ status, body }: RawAnswer): number {
  if (!body.startsWith('{"') || status > 201) return 0
  const { results, ...one } = JSON.parse(body) as Result & { readonly results?: readonly Result[] }
  return (results ?? [{ ...one, status }])
    .filter((result) => result.status === 201 && result.eventIds !== undefined)
    .reduce((sum, { eventIds = [] }) => sum + eventIds.length, 0)
}

interface Result {
  readonly status?: number
  readonly eventIds?: readonly string[]
}

let inLog = 0

async function check(request: RawRequest): Promise<void> {
  const answer = await sendBytes(platform.url, bytesOf(request))
  expect(faultOf(request, answer)).toBeUndefined()
  if (request.method === 'GET') return
  const expected = inLog + acknowledged(answer)
  inLog = await recordsInLog()
  expect({ inLog }, 'records in the log').toEqual({ inLog: expected })
}

test(
  'any request to any route is answered in time with the reason of a refusal, and nothing refused is written',
  { timeout: 600_000 * fuzzFactor },
  async () => {
    const settings = fuzzSettings(runsEach)
    inLog = await recordsInLog()
    for (const [index, route] of routes.entries()) {
      const seed = settings.seed + index
      await fc.assert(fc.asyncProperty(fuzzedRequest(route), check), { ...settings, seed })
      const good = await callerOf(platform.url)('POST', `/streams/${streamId}/events`, {
        events: [purchase()],
      })
      expect(good.status, `an append after ${route.name}`).toBe(201)
      inLog++
    }
  },
)

test('positions outside the log are refused immediately, or do not wait', async () => {
  const call = callerOf(platform.url)
  const projection = `/projections/${where.domain.projections.lifetime}`
  const beyond = `${eventTopic(where.type)}:0:900000000000000`
  const elsewhere = 'eventstore.nothing:3:42'
  const refused = { status: 400, body: { code: 'invalid-request' } }
  for (const positions of [[beyond], [elsewhere]]) {
    const [untilPosition] = positions
    expect(await call('POST', `${projection}/rebuild`, { untilPosition })).toMatchObject(refused)
  }
  const retry = `${projection}/dead-letters/retry`
  expect(await call('POST', retry, { positions: [elsewhere] })).toMatchObject(refused)
  expect(await call('POST', retry, { positions: [beyond] })).toMatchObject({
    status: 200,
    body: { applied: 0 },
  })
  const page = await call('GET', `/categories/${where.type}/events?cursor=900000000000000,0`)
  expect(page).toMatchObject(refused)
})

test('a subscription that resumes beyond the end of the log is refused', async () => {
  const path = `/categories/${where.type}/subscribe`
  const response = await fetch(`${platform.url}${path}`, {
    headers: { 'last-event-id': '900000000000000,0' },
  })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ code: 'invalid-request' })
})
