import { createServer } from 'node:http'

import { SpanKind } from '@opentelemetry/api'
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace'
import { pino } from 'pino'
import { describe, expect, onTestFinished, test } from 'vitest'

import type { StreamId } from '#domain'
import { LogReader } from '#kafka'
import { startTracing } from '#observability'

import { startPlatform } from '../../../services/platform/index.ts'
import { callerOf } from '../../support/http/http-call.ts'
import { startReal } from '../../support/services/real-service.ts'
import { waitFor } from '../../support/stack/stack.ts'
import {
  freshStream,
  purchase,
  purchases,
  runningProcess,
  runningWriter,
  streamPerPartition,
  testInstallation,
} from '../../support/services/writer-fixture.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const callers = `00-${traceId}-b7ad6b7169203331-01`

/** Switches tracing on until the end of the test. @returns a function that finds spans. */
async function recordedSpans() {
  const exporter = new InMemorySpanExporter()
  const logger = pino({ level: 'silent' })
  const tracing = await startTracing({ service: 'test', samplePercent: 100, logger, exporter })
  onTestFinished(() => tracing.stop())
  return async (isWanted: (span: ReadableSpan) => boolean) => {
    await tracing.flush()
    return exporter.getFinishedSpans().filter(isWanted)
  }
}

type Spans = Awaited<ReturnType<typeof recordedSpans>>

const spanNamed = (spans: Spans, name: string, isWanted: (span: ReadableSpan) => boolean = () => true) =>
  waitFor(`a span ${name}`, async () => (await spans((span) => span.name === name && isWanted(span)))[0])

async function platform() {
  const where = testInstallation()
  const service = await startReal(where.env, startPlatform)
  onTestFinished(() => service.close())
  return { ...service, where, call: callerOf(service.url) }
}

const links = (span: ReadableSpan): string[] => span.links.map((link) => link.context.spanId)
const idOf = (span: ReadableSpan): string => span.spanContext().spanId

/** The `traceparent` of each event in the log. */
async function traceparents(
  { backends }: Pick<Awaited<ReturnType<typeof platform>>, 'backends'>,
  streamId: StreamId,
): Promise<(string | undefined)[]> {
  const reader = new LogReader(backends.cluster)
  const found: (string | undefined)[] = []
  for (const { name, partitions } of backends.topics) {
    for (let partition = 0; partition < partitions; partition++) {
      for await (const records of reader.read(name, partition, { from: 0 })) {
        for (const { key, headers } of records) {
          if (key.toString() === streamId)
            found.push(headers.find(([it]) => it === 'traceparent')?.[1].toString())
        }
      }
    }
  }
  return found
}

describe('while tracing is on', () => {
  test("a caller's trace continues to the log and from there to projection and snapshot", async () => {
    const spans = await recordedSpans()
    const { where, call, ...service } = await platform()
    const streamId = freshStream(where.type)
    const body = { events: purchases(10) }
    await call('POST', `/streams/${streamId}/events`, body, { traceparent: callers })

    const append = await spanNamed(spans, 'append')
    expect(append.attributes).toMatchObject({
      'annals.stream': streamId,
      'annals.first_version': 1,
      'annals.last_version': 10,
      'annals.duplicate': false,
    })
    const server = await spanNamed(spans, 'POST /streams/:id/events')
    expect(server.parentSpanContext).toMatchObject({ traceId, spanId: 'b7ad6b7169203331', isRemote: true })
    expect(server.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.response.status_code': 201,
      'url.path': `/streams/${streamId}/events`,
    })
    expect(append.parentSpanContext?.spanId).toBe(idOf(server))
    expect(links(await spanNamed(spans, `send eventstore.${where.type}`))).toEqual([idOf(append)])
    expect(new Set(await traceparents(service, streamId))).toEqual(
      new Set([`00-${traceId}-${idOf(append)}-01`]),
    )
    for (const projection of Object.values(where.domain.projections)) {
      const isOf = ({ attributes }: ReadableSpan) => attributes['annals.projection'] === projection
      const processed = await spanNamed(spans, `process eventstore.${where.type}`, isOf)
      expect(links(processed)).toEqual([idOf(append)])
      expect(processed.attributes).toMatchObject({ 'messaging.batch.message_count': 10 })
    }
    const snapshot = await spanNamed(spans, 'snapshot')
    expect(snapshot.attributes).toMatchObject({ 'annals.stream': streamId, 'annals.version': 10 })
  })

  test('events keep the trace given by their caller, and the append is linked to it', async () => {
    const spans = await recordedSpans()
    const { where, call, ...service } = await platform()
    const streamId = freshStream(where.type)
    const own = { metadata: { traceparent: callers, userId: 'ada' } }
    await call('POST', '/appends', { appends: [{ streamId, events: [purchase(1, own), purchase(2)] }] })
    const append = await spanNamed(spans, 'append')
    expect(links(append)).toEqual(['b7ad6b7169203331'])
    const made = `00-${append.spanContext().traceId}-${idOf(append)}-01`
    expect(await traceparents(service, streamId)).toEqual([callers, made])
  })

  test('a forwarded append is linked to the request that it arrived with', async () => {
    const spans = await recordedSpans()
    const where = testInstallation()
    const [here, there] = [await runningWriter(where), await runningWriter(where)]
    await waitFor('both to own partitions', async () => {
      const urls = new Set((await here.writer.api.owners()).map(({ url }) => url))
      return urls.size === 2 && here.writer.checkServing().owned > 0 && there.writer.checkServing().owned > 0
    })
    const streams = streamPerPartition(where.type, 8)
    const elsewhere = streams.find((it) => here.writer.api.place(it).owner === there.url) ?? streams[0]
    await callerOf(here.url)('POST', `/streams/${elsewhere}/events`, { events: [purchase()] })
    const received = await spanNamed(spans, 'append', (span) => span.links.length === 1)
    const asked = await spanNamed(spans, 'append', (span) => span.links.length === 0)
    expect(links(received)).toEqual([idOf(asked)])
    expect(await traceparents(here, elsewhere as StreamId)).toEqual([
      `00-${asked.spanContext().traceId}-${idOf(asked)}-01`,
    ])
  })

  test('a refusal is recorded with its code, and is not an error of the server', async () => {
    const spans = await recordedSpans()
    const { where, call } = await platform()
    const body = { events: [purchase()], expectedVersion: 7 }
    await call('POST', `/streams/${freshStream(where.type)}/events`, body)
    expect((await spanNamed(spans, 'append')).attributes).toMatchObject({
      'error.type': 'wrong-expected-version',
    })
    const server = await spanNamed(spans, 'POST /streams/:id/events')
    expect(server.attributes).toMatchObject({ 'http.response.status_code': 409 })
    expect(server.status.code).toBe(0)
  })

  test('probes are not traced, and the span of an unknown route has no id in its name', async () => {
    const spans = await recordedSpans()
    const { call } = await platform()
    for (const path of ['/health/live', '/health/ready', '/metrics', '/nowhere/42']) await call('GET', path)
    await spanNamed(spans, 'GET')
    expect((await spans(({ kind }) => kind === SpanKind.SERVER)).map(({ name }) => name)).toEqual(['GET'])
  })
})

test('while tracing is off events have only the trace given by their callers', async () => {
  const { where, call, ...service } = await platform()
  const streamId = freshStream(where.type)
  const own = { metadata: { traceparent: callers } }
  const body = { events: [purchase(1), purchase(2, own)] }
  await call('POST', `/streams/${streamId}/events`, body, { traceparent: callers })
  expect(await traceparents(service, streamId)).toEqual([undefined, callers])
})

describe('a separate process', () => {
  test('sends its traces to the collector, the last ones when it ends', async () => {
    const collector = await startCollector()
    const where = testInstallation()
    const writer = await runningProcess(where, {
      ANNALS_TRACING: 'true',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    })
    const path = `/streams/${freshStream(where.type)}/events`
    expect((await callerOf(writer.url)('POST', path, { events: [purchase()] })).status).toBe(201)
    await writer.stop()
    expect(collector.received.join('\n')).toMatch(
      /"name":"append".*"annals-writer"|"annals-writer".*"name":"append"/s,
    )
  })

  test('continues, and stops normally, while the collector is down', async () => {
    const where = testInstallation()
    const writer = await runningProcess(where, {
      ANNALS_TRACING: 'true',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    })
    const path = `/streams/${freshStream(where.type)}/events`
    expect((await callerOf(writer.url)('POST', path, { events: [purchase()] })).status).toBe(201)
    writer.kill('SIGTERM')
    expect(await writer.exited).toMatchObject({ code: 0 })
    expect(writer.logTail()).toContain('the last traces could not be sent')
  })
})

/** Receives OTLP over HTTP. */
async function startCollector() {
  const received: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push(`${request.url} ${Buffer.concat(chunks).toString()}`)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  const { promise, resolve } = Promise.withResolvers<undefined>()
  server.listen(0, '127.0.0.1', () => resolve(undefined))
  await promise
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return { received, url: `http://127.0.0.1:${port}` }
}
