import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import fc, { type Arbitrary } from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'

import { InvalidInputError, memberPath, streamIdOf } from '#domain'
import { EventStoreError, InMemoryEventStore } from '#event-store'
import { RecordCodec, schemaVersionOf } from '#schemas'
import { recordCases } from '#schemas/testing'

import { cliHere } from '../../support/cli/cli-here.ts'
import { testClient, testWriter } from '../../support/services/closing.ts'
import { callerOf } from '../../support/http/http-call.ts'
import { InMemoryWriter } from '../../support/append/in-memory-writer.ts'

type Json = Record<string, unknown>

/** Passes a value through one interface. Returns the value as it is read back, or the path of its error. */
type Way = (codec: RecordCodec, data: unknown) => Promise<unknown>

const schemaOf = (schema: unknown): RecordCodec => {
  const name = String((schema as Json)['name'])
  const place = { file: `${name}.v1.avsc`, aggregateType: 'order', name, version: 1 }
  return new RecordCodec(schemaVersionOf(place, { ...(schema as Json), namespace: 'order' }))
}

const read = (codec: RecordCodec, data: unknown): unknown =>
  codec.readerOf(codec.schema.type)(codec.encode(7, data))

const refusedAt = (error: unknown): unknown => {
  if (error instanceof InvalidInputError) return { refusedAt: error.path }
  if (error instanceof EventStoreError && error.code === 'invalid-event') {
    return { refusedAt: error.details.path?.replace(/^events\[0\]\./, '') }
  }
  throw error
}

/** A store that encodes and decodes events with the codec, as a writer does. */
class CodecWriter extends InMemoryWriter {
  codec: RecordCodec | undefined

  override append(...[streamId, events, options]: Parameters<InMemoryWriter['append']>) {
    return Promise.resolve(events.map((event) => this.#coded(event))).then((coded) =>
      super.append(streamId, coded, options),
    )
  }

  override appendMany([request, ...more]: Parameters<InMemoryWriter['appendMany']>[0]) {
    if (request === undefined || more.length > 0) throw new Error('expected one append')
    return this.append(request.streamId, request.events).then(
      (result) => [result],
      (error: unknown) => [error as EventStoreError],
    )
  }

  #coded<Event extends { readonly data: unknown }>(event: Event): Event {
    try {
      return this.codec === undefined ? event : { ...event, data: read(this.codec, event.data) }
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      throw new EventStoreError('invalid-event', error.message, { path: `events[0].${error.path}` })
    }
  }
}

const freshId = () => streamIdOf('order', randomUUID())

async function waysOf(): Promise<Readonly<Record<string, Way>>> {
  const api = new CodecWriter()
  const { url } = await testWriter(api)
  const client = testClient({ url })
  const call = callerOf(url)
  const annals = cliHere({ ANNALS_URL: url })
  const stored = (store: Pick<InMemoryEventStore, 'append' | 'load'>) => async (data: unknown) => {
    const streamId = freshId()
    await store.append(streamId, [{ type: 'Happened', data }])
    return (await store.load(streamId)).events[0]?.data
  }
  const memory = stored(new InMemoryEventStore())
  const sdk = stored(client)
  return {
    codec: (codec, data) => Promise.resolve().then(() => read(codec, data)),
    memory: (_, data) => memory(data),
    sdk: (codec, data) => {
      api.codec = codec
      return sdk(data)
    },
    http: async (codec, data) => {
      api.codec = codec
      const path = `/streams/${freshId()}/events`
      const { status, body } = await call('POST', path, `{"events":[{"type":"A","data":${jsonOf(data)}}]}`)
      if (status !== 201) {
        throw new EventStoreError('invalid-event', String(body['detail']), { path: String(body['path']) })
      }
      const page = (await call('GET', path)).body['events'] as readonly { data: unknown }[]
      return page[0]?.data
    },
    cli: async (codec, data) => {
      api.codec = codec
      const streamId = freshId()
      const appended = await annals(['append', streamId, 'A', '--data', jsonOf(data), '--json'])
      if (appended.exitCode !== 0) throw refusalBy(appended.json())
      const history = await annals(['stream', 'history', streamId, '--json'])
      return (history.json() as { events: readonly { data: unknown }[] }).events[0]?.data
    },
  }
}

/** The error of a rejected append as the command line prints it, whether its own or from the server. */
function refusalBy(printed: Json): EventStoreError {
  const { message, path } = (printed as { error: { message: string; path: string } }).error
  return new EventStoreError('invalid-event', message, { path })
}

/** JSON that may contain what JSON.stringify cannot write: 1e400. */
const jsonOf = (data: unknown): string =>
  JSON.stringify(data, (_, part: unknown) => (part === Infinity ? '1e400' : part)).replaceAll(
    '"1e400"',
    '1e400',
  )

const outcomes = async (ways: Readonly<Record<string, Way>>, codec: RecordCodec, data: unknown) =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(ways).map(
        async ([name, way]) => [name, await way(codec, data).catch(refusedAt)] as const,
      ),
    ),
  )

test('a value that fits a schema is read back equal through every interface', async () => {
  const ways = await waysOf()
  await fc.assert(
    fc.asyncProperty(
      recordCases.chain(({ schema, values }) => values.map((data) => ({ schema, data }))),
      async ({ schema, data }) => {
        const found = await outcomes(ways, schemaOf(schema), data)
        expect(found).toStrictEqual({ codec: data, memory: data, sdk: data, http: data, cli: data })
      },
    ),
    { numRuns: 150 },
  )
})

/** Places in a value, with their paths. */
interface Place {
  readonly path: string
  readonly put: (wrong: unknown) => unknown
  readonly isObject: boolean
}

function placesIn(value: unknown, path: string, put: (part: unknown) => unknown): readonly Place[] {
  const own = { path, put, isObject: typeof value === 'object' && value !== null && !Array.isArray(value) }
  if (Array.isArray(value)) {
    const items = value as readonly unknown[]
    return [
      own,
      ...items.flatMap((item, at) => placesIn(item, `${path}[${at}]`, (part) => put(items.with(at, part)))),
    ]
  }
  if (!own.isObject) return [own]
  return [
    own,
    ...Object.entries(value as Json).flatMap(([key, member]) =>
      placesIn(member, path + memberPath(key), (part) => put({ ...(value as Json), [key]: part })),
    ),
  ]
}

const wrongEverywhere = [Infinity, 'x\ud800', '\udc00'] as const
const wrongInMemory = [NaN, -Infinity, 12n, new Map(), new Date(0), new Set(), () => 1, Buffer.from('a')]

/** A value that fits a schema, with an invalid part inserted. */
const misfits = (wrong: readonly unknown[]): Arbitrary<{ schema: unknown; data: unknown; path: string }> =>
  recordCases.chain(({ schema, values }) =>
    fc
      .tuple(values, fc.nat(), fc.constantFrom(...wrong), fc.constantFrom('', 'x\ud800', '__proto__'))
      .map(([value, at, fault, key]) => {
        const places = placesIn(value, 'data', (part) => part)
        const { path, put, isObject } = places[at % places.length] as Place
        if (key === '' || !isObject) return { schema, data: put(fault), path }
        const data = put(JSON.parse(`{${JSON.stringify(key)}:1}`))
        return { schema, data, path: path + memberPath(key) }
      }),
  )

test.each<[string, readonly unknown[], readonly string[]]>([
  ['by hand', wrongEverywhere, ['codec', 'memory', 'sdk', 'http', 'cli']],
  ['by a program', wrongInMemory, ['codec', 'memory', 'sdk']],
])(
  'a value that JSON cannot represent, written %s, is rejected by every interface with the same path',
  async (_, wrong, by) => {
    const ways = Object.fromEntries(Object.entries(await waysOf()).filter(([name]) => by.includes(name)))
    await fc.assert(
      fc.asyncProperty(misfits(wrong), async ({ schema, data, path }) => {
        const found = await outcomes(ways, schemaOf(schema), data)
        expect(found).toStrictEqual(Object.fromEntries(by.map((name) => [name, { refusedAt: path }])))
      }),
      { numRuns: 150 },
    )
  },
)

test('an export that is imported under another name contains the same events', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'annals-exact-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        recordCases.chain(({ values }) => values),
        { minLength: 1, maxLength: 5 },
      ),
      async (all) => {
        const api = new InMemoryWriter()
        const { url } = await testWriter(api)
        const annals = cliHere({ ANNALS_URL: url })
        for (const [n, data] of all.entries()) {
          await api.append(streamIdOf('order', String(n)), [{ type: 'Happened', data }])
        }
        const file = join(folder, `${randomUUID()}.ndjson`)
        expect(await annals(['export', 'order', '--output', file])).toMatchObject({ exitCode: 0 })
        const again = ['import', file, '--rename', 'order=copy', '--no-schemas']
        expect(await annals(again)).toMatchObject({ exitCode: 0 })
        for (const [n, data] of all.entries()) {
          const [event] = await api.load(streamIdOf('copy', String(n))).then(({ events }) => events)
          expect(event?.data).toStrictEqual(data)
        }
      },
    ),
    { numRuns: 20 },
  )
})
