import {
  type Attributes,
  type Context,
  context,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api'

import type { TracingOptions } from './tracing-sdk.ts'

export type { SpanContext } from '@opentelemetry/api'
export type { TracingOptions } from './tracing-sdk.ts'

export interface Tracing {
  /** Sends the recorded spans. Rejects if that fails. */
  readonly flush: () => Promise<void>
  /** Sends the recorded spans within two seconds or drops them, and creates no more. Never rejects. */
  readonly stop: () => Promise<void>
}

interface SpanDetails {
  readonly kind?: 'server' | 'producer' | 'consumer'
  readonly attributes?: Attributes
  /** Headers of the request that caused the span. */
  readonly headers?: Readonly<Record<string, unknown>>
  /** Further causes that are not parents, for there may be many. Beyond 128 they are left out. */
  readonly links?: readonly SpanContext[]
}

/**
 * Defined only while tracing is on. Every function here checks it first, so that tracing costs nothing when it is off.
 */
let tracer: Tracer | undefined

const kinds = { server: SpanKind.SERVER, producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER }
const linksMax = 128

/**
 * Switches tracing on for this process. OpenTelemetry's SDK is loaded only now. Failing exports never affect the
 * service: failures are logged, once a minute at most, and spans beyond 2,048 waiting ones are dropped.
 */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  const { openTracer } = await import('./tracing-sdk.ts')
  const opened = openTracer(options)
  tracer = opened.tracer
  return {
    flush: opened.flush,
    stop: () => {
      tracer = undefined
      return opened.close()
    },
  }
}

export const isTracing = (): boolean => tracer !== undefined

/** A span in progress. The caller ends it. */
export class OpenSpan {
  readonly #span: Span
  readonly #context: Context

  constructor(span: Span, parent: Context) {
    this.#span = span
    this.#context = trace.setSpan(parent, span)
  }

  /** For the metadata of events; undefined when the trace is not recorded, because the link would lead nowhere. */
  get traceparent(): string | undefined {
    if ((this.#span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return undefined
    const carrier: Record<string, string> = {}
    propagation.inject(this.#context, carrier)
    return carrier['traceparent']
  }

  /** Runs work so that its spans are children of this one. */
  run<T>(work: () => T): T {
    return context.with(this.#context, work)
  }

  set(attributes: Attributes): void {
    this.#span.setAttributes(attributes)
  }

  /** @param type a short name of the error, for instance its code */
  fail(type: string, message?: string): void {
    this.#span.setAttribute('error.type', type)
    this.#span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) })
  }

  /** @param endedAtMs milliseconds since 1970; default: now. */
  end(endedAtMs?: number): void {
    this.#span.end(endedAtMs)
  }
}

/** Starts a span in the trace of the headers, otherwise under the active span. Undefined while tracing is off. */
export const openSpan = (name: string, details: SpanDetails): OpenSpan | undefined =>
  tracer && startSpan(tracer, name, details)

/** Records a span of work that has ended. */
export function recordSpan(name: string, tookMs: number, details: () => SpanDetails): void {
  if (tracer === undefined) return
  const endedAtMs = Date.now()
  startSpan(tracer, name, details(), endedAtMs - tookMs).end(endedAtMs)
}

function startSpan(
  by: Tracer,
  name: string,
  { kind, attributes, headers, links }: SpanDetails,
  startedAtMs?: number,
): OpenSpan {
  const parent = headers === undefined ? context.active() : propagation.extract(ROOT_CONTEXT, headers)
  const span = by.startSpan(
    name,
    {
      kind: kind === undefined ? SpanKind.INTERNAL : kinds[kind],
      ...(attributes && { attributes }),
      ...(links && { links: links.slice(0, linksMax).map(asLink) }),
      ...(startedAtMs !== undefined && { startTime: startedAtMs }),
    },
    parent,
  )
  return new OpenSpan(span, parent)
}

const asLink = (linked: SpanContext): Link => ({ context: linked })

/**
 * Runs work in a span; an error that it throws is recorded there.
 * @param details computed only while tracing is on
 * @param work gets the span while tracing is on
 */
export function traced<T>(
  name: string,
  details: () => SpanDetails,
  work: (span?: OpenSpan) => Promise<T>,
): Promise<T> {
  const span = tracer === undefined ? undefined : openSpan(name, details())
  return span === undefined ? work() : inSpan(span, work)
}

async function inSpan<T>(span: OpenSpan, work: (span: OpenSpan) => Promise<T>): Promise<T> {
  try {
    return await span.run(() => work(span))
  } catch (error) {
    span.fail(typeOf(error), error instanceof Error ? error.message : String(error))
    throw error
  } finally {
    span.end()
  }
}

function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

/** The span that this code runs in, for links; undefined while tracing is off. */
export const activeSpan = (): SpanContext | undefined =>
  tracer === undefined ? undefined : trace.getSpanContext(context.active())

/** The distinct spans that `traceparent`s identify, without malformed ones. Empty while tracing is off. */
export function spansOf(traceparents: Iterable<string | undefined>): SpanContext[] {
  if (tracer === undefined) return []
  const found = new Map<string, SpanContext>()
  for (const traceparent of traceparents) {
    if (traceparent === undefined || found.has(traceparent)) continue
    const span = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, { traceparent }))
    if (span !== undefined) found.set(traceparent, span)
    if (found.size === linksMax) break
  }
  return [...found.values()]
}
