import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import pino from 'pino'
import { Registry } from 'prom-client'
import { afterAll, expect, onTestFinished } from 'vitest'

import { createUpcasterChain, type Projection, projectionTopic } from '#domain'
import { KafkaCluster, LogReader, type StoredRecord, Topics } from '#kafka'
import {
  InMemoryViewStore,
  type UnpublishedView,
  type ViewChange,
  type ViewSet,
  ViewStoreUnavailableError,
  type ViewUpdate,
} from '#projections'
import { EventCodec, jsonViewSchema, loadCatalog, pushSchemas, SchemaCatalog, SchemaRegistry } from '#schemas'

import { customerLifetime } from '../../../examples/customers/projections.ts'
import {
  ChangelogMetrics,
  ChangelogPublisher,
  ChangelogReader,
  ChangelogWriter,
  changelogTopics,
} from '../../../services/projector/changelog/index.ts'
import { GenerationWatch } from '../../../services/projector/generation-watch.ts'
import { testStack, uniqueName, waitFor } from '../stack/stack.ts'
import { type Ending, endingOf } from './tested-publisher.ts'

const partitions = 3
/** Message size limit of the changelog topics, in bytes. */
export const messageBytesMax = 1 << 20
const source = { topic: 'eventstore.customer', partition: 0 }

/** What the changelogs of one test file share. */
interface Shared {
  readonly cluster: KafkaCluster
  /** Schemas of fresh projections. */
  readonly folder: string
}

/**
 * Connects to Kafka for all tests of a file, and disconnects after them. Await it at the top level of the file.
 * @returns a function that creates a changelog of a new projection, whose views are in their own Avro schema if `isTyped`.
 */
export async function changelogsForFile(): Promise<(isTyped?: boolean) => Promise<TestedChangelog>> {
  const cluster = await KafkaCluster.connect({ brokers: testStack().kafkaBrokers, clientId: 'changelog' })
  const folder = mkdtempSync(join(tmpdir(), 'annals-views-'))
  afterAll(async () => {
    await cluster.close()
    rmSync(folder, { recursive: true })
  })
  return (isTyped = false) => TestedChangelog.begin({ cluster, folder }, isTyped)
}

/** The example's views, in their own Avro schema or the built-in one. */
async function freshProjection(
  folder: string,
  isTyped: boolean,
): Promise<{ projection: Projection; codec: EventCodec }> {
  const name = uniqueName('lifetime')
  const { schema, ...untyped } = customerLifetime as Projection
  const projection: Projection = { ...untyped, name, ...(isTyped && schema !== undefined && { schema }) }
  if (isTyped) copySchema(folder, name)
  const files = loadCatalog([folder]).all.filter(({ aggregateType }) => aggregateType === name)
  const catalog = new SchemaCatalog(isTyped ? files : [jsonViewSchema(name)])
  const registry = new SchemaRegistry({ url: testStack().registryUrl })
  await pushSchemas(catalog, registry)
  const codec = new EventCodec({ catalog, registry, upcasters: createUpcasterChain([]) })
  await codec.prepare()
  return { projection, codec }
}

function copySchema(folder: string, name: string): void {
  mkdirSync(join(folder, name))
  const file = 'CustomerLifetime.v1.avsc'
  const text = readFileSync(join('schemas/customer-lifetime', file), 'utf8')
  const namespace = `"namespace": "${name.replaceAll('-', '_')}"`
  writeFileSync(join(folder, name, file), text.replace('"namespace": "customer_lifetime"', namespace))
}

/** A projection with its topic, a store that can fail, and helpers for common steps of tests. */
class TestedChangelog {
  readonly #cluster: KafkaCluster
  readonly projection: Projection
  readonly set: ViewSet
  readonly store: InMemoryViewStore
  readonly codec: EventCodec
  readonly reader: ChangelogReader
  /** How many of the next marks fail, as if the process had died before them. */
  marksThatFail = 0
  #checkpoint: number | undefined

  private constructor(cluster: KafkaCluster, projection: Projection, codec: EventCodec) {
    this.#cluster = cluster
    this.projection = projection
    this.codec = codec
    this.set = { projection, generation: 'g1' }
    this.store = new InMemoryViewStore()
    const mark = this.store.outbox.markPublished.bind(this.store.outbox)
    this.store.outbox.markPublished = (set, published) =>
      this.marksThatFail-- > 0 ? Promise.reject(new ViewStoreUnavailableError('dead')) : mark(set, published)
    const reader = new LogReader(cluster)
    this.reader = new ChangelogReader({
      reader,
      codec,
      partitions,
      changelog: true,
      keptBytesMax: 1 << 20,
      projections: [projection],
    })
  }

  static async begin({ cluster, folder }: Shared, isTyped: boolean): Promise<TestedChangelog> {
    const { projection, codec } = await freshProjection(folder, isTyped)
    const settings = { partitions, replication: 1, minInsyncReplicas: 1, messageBytesMax }
    await new Topics(cluster).ensure(changelogTopics([projection], settings))
    const changelog = new TestedChangelog(cluster, projection, codec)
    await changelog.store.prepare(projection)
    const range = { start: 0, end: 0 }
    await changelog.store.generations.add(projection, {
      id: 'g1',
      viewVersion: 1,
      indexNames: [],
      createdAtMs: 0,
      topicIds: {},
      range: { 'eventstore.customer:0': range },
    })
    return changelog
  }

  writer(): ChangelogWriter {
    const { projection, codec } = this
    return new ChangelogWriter({ cluster: this.#cluster, codec, projection, partitions, messageBytesMax })
  }

  /** Starts a publisher that ends with the test. */
  keep(writer = this.writer()): { publisher: ChangelogPublisher; ending: Promise<Ending> } {
    const { projection, store } = this
    const metrics = new ChangelogMetrics(new Registry())
    const logger = pino({ level: 'silent' })
    const publisher = new ChangelogPublisher({
      ...{ projection, store, writer, metrics, logger },
      watch: new GenerationWatch(store.generations),
      isWhole: () => Promise.resolve(true),
    })
    const stopping = new AbortController()
    const ending = endingOf(publisher.run({ signal: stopping.signal, serving: () => undefined }))
    onTestFinished(async () => {
      stopping.abort()
      await ending
    })
    return { publisher, ending }
  }

  /** Makes one commit; null deletes a view. */
  async change(views: Readonly<Record<string, unknown>>): Promise<void> {
    const known = await this.store.views.read(this.set, Object.keys(views))
    const changes = Object.entries(views).map(([key, view]): ViewChange => {
      const json = view === null ? null : JSON.stringify(view)
      return { key, expected: known.get(key)?.revision ?? 0, json, indexes: {}, changedAtMs: 86_400_000 }
    })
    const to = (this.#checkpoint ?? 0) + 1
    await this.store.views.commit(this.set, { source, from: this.#checkpoint, to, changes, parked: [] })
    this.#checkpoint = to
  }

  unpublished(): Promise<readonly UnpublishedView[]> {
    return this.store.outbox.unpublished(this.set, 10_000)
  }

  async settled(): Promise<void> {
    const none = async () => (await this.unpublished()).length === 0
    await waitFor('all views to be published', none)
  }

  /** All records from these offsets on. */
  async records(from: readonly number[] = [0, 0, 0]): Promise<StoredRecord[]> {
    const topic = projectionTopic(this.projection.name)
    const all: StoredRecord[] = []
    for (const [partition, offset] of from.entries()) {
      const pieces = new LogReader(this.#cluster).read(topic, partition, { from: offset })
      all.push(...(await Array.fromAsync(pieces)).flat())
    }
    return all
  }

  /** All changes from a cursor up to the current end. */
  async updates(cursor = '0,0,0'): Promise<ViewUpdate[]> {
    const { length } = await this.records(cursor.split(',').map(Number))
    const timeout = AbortSignal.timeout(30_000)
    const updates: ViewUpdate[] = []
    for await (const update of this.reader.updates(this.projection.name, { cursor }, timeout)) {
      if (updates.push(update) === length) break
    }
    expect(updates).toHaveLength(length)
    return updates
  }
}
