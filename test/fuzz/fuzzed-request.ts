import { gzipSync } from 'node:zlib'

import fc from 'fast-check'

import { jsonMutation, type Mutation } from './mutate-json.ts'
import { nastyTargetPart, nastyTexts } from './nasty.ts'
import type { Draft, FuzzedRoute } from './openapi-requests.ts'
import type { RawRequest } from './raw-http.ts'

/** A draft and the faults in its bytes. */
interface Written {
  readonly draft: Draft
  /** Replaces the draft's JSON. */
  readonly body?: Buffer
  /** Added to, or instead of, the headers of a proper request. */
  readonly headers: readonly (readonly [string, string])[]
}

type Change = Mutation<Written>

/** Requests for a route with up to three faults; some have none. */
export const fuzzedRequest = ({ valid }: FuzzedRoute): fc.Arbitrary<RawRequest> =>
  fc
    .record({
      query: fc.subarray([...valid.query]),
      headers: fc.subarray([...valid.headers]),
      changes: fc.array(changeOf(valid), { maxLength: 3 }),
    })
    .map(({ changes, ...some }) =>
      written(
        changes.reduce<Written>((so, change) => change(so), { draft: { ...valid, ...some }, headers: [] }),
      ),
    )

const changeOf = ({ json, query }: Draft): fc.Arbitrary<Change> =>
  fc.oneof(
    { weight: json === undefined ? 1 : 10, arbitrary: bodyChange },
    { weight: query.length === 0 ? 1 : 5, arbitrary: queryChange },
    { weight: 3, arbitrary: pathChange },
    { weight: 3, arbitrary: headerChange },
    { weight: 2, arbitrary: rawBody },
    { weight: 1, arbitrary: methodChange },
  )

const ofDraft =
  (change: Mutation<Draft>): Change =>
  (written) => ({ ...written, draft: change(written.draft) })

const bodyChange = jsonMutation.map((mutation) =>
  ofDraft((draft) => ({ ...draft, json: mutation(draft.json ?? {}) })),
)

const queryChange = fc
  .record({
    at: fc.nat(),
    value: nastyTargetPart,
    kind: fc.constantFrom('replace', 'replace', 'only', 'twice', 'unknown', 'remove', 'list'),
  })
  .map(({ at, value, kind }) =>
    ofDraft((draft) => {
      const query = [...draft.query]
      const index = at % Math.max(1, query.length)
      const name = query[index]?.[0] ?? 'unknown'
      if (kind === 'replace') query[index] = [name, value]
      else if (kind === 'only') return { ...draft, query: [[name, value]] }
      else if (kind === 'twice') query.push([name, value])
      else if (kind === 'list') query[index] = [`${name}[]`, value]
      else if (kind === 'unknown') query.push([value, value])
      else query.splice(index, 1)
      return { ...draft, query }
    }),
  )

const pathChange = fc
  .record({ at: fc.nat(), value: nastyTargetPart, keeps: fc.boolean() })
  .map(({ at, value, keeps }) =>
    ofDraft((draft) => {
      const index = at % draft.segments.length
      const before = draft.segments[index] ?? ''
      return { ...draft, segments: draft.segments.with(index, keeps ? before + value : value) }
    }),
  )

const withHeader =
  (name: string, value: string): Change =>
  (written) => ({ ...written, headers: [...written.headers, [name, value]] })

const headerValue = fc.oneof(
  fc.constantFrom(...nastyTexts).map((text) => text.replaceAll(/[\r\n\0]/g, '')),
  fc.constantFrom('\xff\xfe', '\t', 'a, b', '"', '1,2,3', '0,0,0,0', '\x01', '-'.repeat(9_000), 'é'),
)

const headerChange = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        ...['idempotency-key', 'last-event-id', 'traceparent', 'tracestate', 'annals-forwarded', 'accept'],
        ...['accept-encoding', 'range', 'if-match', 'x-http-method-override', 'origin', 'cookie', 'upgrade'],
        ...['expect', 'host', 'content-type', 'content-encoding', 'transfer-encoding', 'x y', ''],
      ),
      headerValue,
    )
    .map(([name, value]) => withHeader(name, value)),
  fc
    .constantFrom<[string, string]>(
      ['content-type', 'text/plain'],
      ['content-type', 'application/json; charset=utf-16'],
      ['content-type', 'application/x-www-form-urlencoded'],
      ['content-type', 'multipart/form-data; boundary=x'],
      ['content-type', 'application/problem+json'],
      ['content-type', 'application/json;;;'],
      ['content-encoding', 'gzip'],
      ['content-encoding', 'br, gzip'],
      ['content-length', '-1'],
      ['content-length', '0'],
      ['content-length', '99999999999999999999'],
      ['transfer-encoding', 'chunked'],
      ['transfer-encoding', 'gzip, chunked'],
      ['expect', '100-continue'],
      ['expect', 'more'],
      ['annals-forwarded', '1'],
      ['host', ''],
      ['x-large', 'x'.repeat(20_000)],
    )
    .map(([name, value]) => withHeader(name, value)),
)

const methodChange = fc
  .constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'FOO', 'get', 'QUERY')
  .map((method) => ofDraft((draft) => ({ ...draft, method })))

const damages: readonly Mutation<Buffer>[] = [
  () => Buffer.alloc(0),
  (body) => body.subarray(0, Math.floor(body.length / 2)),
  (body) => Buffer.concat([body, body]),
  (body) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body]),
  (body) => Buffer.from(body.toString(), 'utf16le'),
  (body) => gzipSync(body),
  () => Buffer.from('['.repeat(50_000)),
  () => Buffer.from(`${'{"events":'.repeat(20_000)}1`),
  () => Buffer.from('null'),
  () => Buffer.from('"text"'),
  () => Buffer.from('{"a":1,"a":2,"__proto__":{"b":3}}'),
  () => Buffer.alloc(300_000, 0x20),
  () => Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]),
]

const rawBody: fc.Arbitrary<Change> = fc.oneof(
  fc
    .constantFrom(...damages)
    .map((damage): Change => (written) => ({ ...written, body: damage(bodyOf(written)) })),
  fc
    .record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) })
    .map(({ at, byte }): Change => (written) => {
      const body = Buffer.from(bodyOf(written))
      if (body.length > 0) body[at % body.length] = byte
      return { ...written, body }
    }),
  fc
    .uint8Array({ maxLength: 60 })
    .map((bytes): Change => (written) => ({ ...written, body: Buffer.from(bytes) })),
)

const bodyOf = ({ draft, body }: Written): Buffer =>
  body ?? (draft.json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(draft.json)))

/** Completes the body, however broken its chunks are: a request that waits for more is covered by another test. */
const ended = (body: Buffer): Buffer => Buffer.concat([body, Buffer.from('\r\n0\r\n\r\n')])

function written(request: Written): RawRequest {
  const { draft, headers } = request
  const hasBody = request.body !== undefined || draft.json !== undefined
  const isChunked = headers.some(([, value]) => value.includes('chunked'))
  const body = isChunked ? ended(bodyOf(request)) : hasBody ? bodyOf(request) : undefined
  const query = draft.query.map(([name, value]) => `${name}=${value}`).join('&')
  const proper: (readonly [string, string])[] = [
    ['host', 'localhost'],
    ...draft.headers,
    ...(body === undefined
      ? []
      : [['content-type', 'application/json'] as const, ['content-length', String(body.length)] as const]),
  ]
  const changed = new Set(headers.map(([name]) => name))
  return {
    method: draft.method,
    target: `/${draft.segments.join('/')}${query === '' ? '' : `?${query}`}`.replaceAll(/[\r\n]/g, ''),
    headers: [...proper.filter(([name]) => !changed.has(name)), ...headers, ['connection', 'close']],
    body,
  }
}
