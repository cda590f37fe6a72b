import { ExportResultCode } from '@opentelemetry/core'
import { InMemorySpanExporter, type SpanExporter } from '@opentelemetry/sdk-trace'
import { pino } from 'pino'
import { afterEach, describe, expect, test } from 'vitest'

import {
  activeSpan,
  isTracing,
  openSpan,
  recordSpan,
  spansOf,
  startTracing,
  traced,
  type Tracing,
} from './tracing.ts'

const callers = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const notRecorded = '00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203331-00'
const logged: string[] = []
const logger = pino({}, { write: (line) => logged.push(line) })

let tracing: Tracing | undefined
afterEach(async () => {
  await tracing?.stop()
  logged.length = 0
})

async function started(samplePercent = 100, exporter: SpanExporter = new InMemorySpanExporter()) {
  tracing = await startTracing({ service: 'test', samplePercent, logger, exporter })
  return tracing
}

async function recording(samplePercent = 100) {
  const exporter = new InMemorySpanExporter()
  const { flush } = await started(samplePercent, exporter)
  return async () => {
    await flush()
    return exporter.getFinishedSpans()
  }
}

describe('while tracing is off', () => {
  test('work runs without a span, and its details are not computed', async () => {
    const span = await traced(
      'work',
      () => expect.unreachable(),
      (given) => Promise.resolve(given),
    )
    expect(span).toBeUndefined()
    recordSpan('work', 1, () => expect.unreachable())
    expect([isTracing(), activeSpan(), openSpan('work', {}), spansOf([callers])]).toEqual([
      false,
      undefined,
      undefined,
      [],
    ])
  })

  test('it is off again after it is stopped', async () => {
    await (await started()).stop()
    expect([isTracing(), openSpan('work', {})]).toEqual([false, undefined])
  })
})

describe('while tracing is on', () => {
  test('nested work is a child span, also after an await', async () => {
    const spans = await recording()
    await traced(
      'outer',
      () => ({}),
      async () => {
        await Promise.resolve()
        await traced(
          'inner',
          () => ({ kind: 'producer', attributes: { n: 1 } }),
          () => Promise.resolve(),
        )
      },
    )
    const [inner, outer] = await spans()
    expect(inner).toMatchObject({ name: 'inner', attributes: { n: 1 } })
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId)
    expect(outer?.resource.attributes).toMatchObject({ 'service.name': 'annals-test' })
  })

  test('an error of the work is rethrown, and its code is recorded', async () => {
    const spans = await recording()
    const failing = () =>
      Promise.reject(Object.assign(new Error('no such stream'), { code: 'stream-not-found' }))
    await expect(traced('work', () => ({}), failing)).rejects.toThrow('no such stream')
    expect(await spans()).toMatchObject([
      { attributes: { 'error.type': 'stream-not-found' }, status: { code: 2, message: 'no such stream' } },
    ])
  })

  test('the trace of a request continues, and is linked to the events that it appends', async () => {
    const spans = await recording()
    const span = openSpan('POST /streams', { kind: 'server', headers: { traceparent: callers } })
    expect(span?.traceparent?.slice(0, 36)).toBe(callers.slice(0, 36))
    expect(span?.run(activeSpan)).toMatchObject({ traceId: callers.slice(3, 35) })
    span?.end()
    expect(await spans()).toMatchObject([{ kind: 1, parentSpanContext: { spanId: 'b7ad6b7169203331' } }])
  })

  test('finished work is recorded with its duration', async () => {
    const spans = await recording()
    recordSpan('step', 1_500, () => ({ links: spansOf([callers, undefined, 'nonsense', callers]) }))
    const [span] = await spans()
    expect(span?.duration).toEqual([1, 500_000_000])
    expect(span?.links.map((link) => link.context.spanId)).toEqual(['b7ad6b7169203331'])
  })

  test('no more than 128 spans are linked', async () => {
    const spans = await recording()
    const many = Array.from({ length: 200 }, (_, n) => callers.replace('b7ad6b71', `${n + 10_000_000}`))
    expect(spansOf(many)).toHaveLength(128)
    const linked = spansOf(many.slice(0, 100))
    recordSpan('step', 1, () => ({ links: [...linked, ...linked] }))
    expect(await spans()).toMatchObject([{ links: { length: 128 } }])
  })
})

describe('of the traces that start here', () => {
  test('none is recorded at 0 percent, and events carry no trace', async () => {
    const spans = await recording(0)
    const span = openSpan('work', {})
    expect(span?.traceparent).toBeUndefined()
    span?.end()
    recordSpan('step', 1, () => ({ links: spansOf([notRecorded]) }))
    expect(await spans()).toEqual([])
  })

  test('effects of recorded work are recorded too', async () => {
    const spans = await recording(0)
    openSpan('request', { headers: { traceparent: callers } })?.end()
    recordSpan('step', 1, () => ({ links: spansOf([notRecorded, callers]) }))
    expect((await spans()).map(({ name }) => name)).toEqual(['request', 'step'])
  })

  test('a caller that does not want its trace recorded is respected', async () => {
    const spans = await recording()
    openSpan('request', { headers: { traceparent: notRecorded } })?.end()
    expect(await spans()).toEqual([])
  })
})

test('a collector that rejects spans costs no more than a line in the log', async () => {
  const refusing: SpanExporter = {
    export: (_, done) => done({ code: ExportResultCode.FAILED, error: new Error('connection refused') }),
    shutdown: () => Promise.resolve(),
  }
  const { stop } = await started(100, refusing)
  expect(
    await traced(
      'work',
      () => ({}),
      () => Promise.resolve('done'),
    ),
  ).toBe('done')
  await stop()
  expect(logged.join('')).toContain('connection refused')
})

test('a collector that does not answer delays the shutdown by two seconds', async () => {
  const silent: SpanExporter = { export: () => undefined, shutdown: () => Promise.resolve() }
  const { stop } = await started(100, silent)
  openSpan('work', {})?.end()
  const startedMs = performance.now()
  await stop()
  expect(performance.now() - startedMs).toBeLessThan(4_000)
  expect(logged.join('')).toContain('the last traces could not be sent')
})
