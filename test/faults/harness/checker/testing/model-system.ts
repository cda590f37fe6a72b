import type {
  AppendOperation,
  ExpectedVersion,
  LoggedEvent,
  LoggedMarker,
  LogPosition,
  Producer,
  Remains,
  StoredSnapshot,
  StoredView,
} from '../../history.ts'
import { indexedStream } from '../indexed-stream.ts'

type Request = Pick<AppendOperation, 'streamId' | 'expectedVersion' | 'events'>
type Outcome = AppendOperation['outcome']

const partitions = 2
/** Interval between two take-overs. */
const takeOverMs = 2_000
const topic = 'eventstore.customer'
const plainProducer: Producer = { id: '-1', epoch: -1 }

/** Writers of stray records: a plain producer, a former owner, an owner whose id the brokers have forgotten. */
export type Stranger = 'plain producer' | 'former owner' | 'forgotten id'

/** A sequential system that keeps every promise: the checker must find no violation. */
export class ModelSystem {
  readonly #streams: number
  readonly #log: LoggedEvent[] = []
  readonly #strays: LoggedEvent[] = []
  readonly #markers: LoggedMarker[] = []
  readonly #ends = Array.from({ length: partitions }, () => 0)

  constructor(streams: number) {
    this.#streams = streams
  }

  streamId(stream: number): string {
    return `customer.${stream % this.#streams}`
  }

  versionOf(streamId: string): number {
    return this.#events(streamId).length
  }

  append(request: Request, fate: 'answered' | 'answer lost' | 'never arrived'): Outcome {
    if (fate === 'never arrived') return { is: 'unknown', code: 'unavailable' }
    const outcome = this.#decide(request)
    return fate === 'answered' ? outcome : { is: 'unknown', code: 'outcome-unknown' }
  }

  read(streamId: string, fromVersion: number): { version: number; id: string }[] {
    return this.#events(streamId)
      .slice(fromVersion - 1)
      .map(({ version, id }) => ({ version, id }))
  }

  load(streamId: string): { version: number; state: unknown } {
    const events = this.#events(streamId)
    return { version: events.length, state: totalsOf(events) }
  }

  /**
   * @param behind how many of the newest events of each partition the projection has not applied, unless a token
   * requires them
   */
  view(keyedBy: 'stream' | 'month', key: string, behind: number, after?: LogPosition): unknown {
    const applied = this.#ends.flatMap((_, partition) => {
      const events = this.#log.filter((event) => event.partition === partition)
      const seen =
        after?.partition === partition ? events.filter(({ offset }) => offset <= after.offset).length : 0
      return events.slice(0, Math.max(seen, events.length - behind))
    })
    return viewsOf(keyedBy, applied).get(key) ?? null
  }

  /** The very next version of a stream, well-formed, in a batch that does not count. */
  writeStray(streamId: string, event: LoggedEvent | AppendOperation['events'][number], by: Stranger): void {
    const partition = partitionOf(streamId)
    const term = this.#termOf(partition)
    // The start of a log decides whether anything before its first marker counts.
    if (term === undefined && this.#ends[partition] === 0) return
    // Before the first marker versions decide, and the very next one would count.
    const version = this.versionOf(streamId) + (term === undefined ? 2 : 1)
    const { id, type, data } = event
    const producer = {
      'plain producer': plainProducer,
      'former owner': formerOf(term),
      'forgotten id': { id: '1', epoch: 0 },
    }[by]
    this.#strays.push({
      id,
      type,
      data,
      streamId,
      topic,
      partition,
      offset: this.#nextOffset(partition),
      version,
      producer,
    })
  }

  remains(): Remains {
    const streams = [...Map.groupBy(this.#log, ({ streamId }) => streamId)]
    return {
      log: [...this.#log, ...this.#strays].sort(
        (one, other) => one.partition - other.partition || one.offset - other.offset,
      ),
      markers: this.#markers,
      starts: this.#ends.map((_, partition) => ({ topic, partition, offset: 0 })),
      index: streams.map(([streamId, events]) => indexedStream(streamId, events)),
      snapshots: streams.flatMap(([streamId, events]) => snapshotsOf(streamId, events)),
      views: (['stream', 'month'] as const).flatMap((keyedBy) => this.#stored(keyedBy)),
      projections: [
        { name: 'totals', source: 'customer', keyedBy: 'stream' },
        { name: 'months', source: 'customer', keyedBy: 'month' },
      ],
    }
  }

  #stored(keyedBy: 'stream' | 'month'): StoredView[] {
    const projection = keyedBy === 'stream' ? 'totals' : 'months'
    return [...viewsOf(keyedBy, this.#log)].map(([key, view]) => ({ projection, key, view }))
  }

  #events(streamId: string): LoggedEvent[] {
    return this.#log.filter((event) => event.streamId === streamId)
  }

  #decide({ streamId, expectedVersion, events }: Request): Outcome {
    const stream = this.#events(streamId)
    const known = stream.filter(({ id }) => events.some((event) => event.id === id))
    if (known.length > 0) return acknowledged(known, true)
    if (!meets(expectedVersion, stream.length)) {
      return { is: 'refused', code: 'wrong-expected-version', actualVersion: stream.length }
    }
    const partition = partitionOf(streamId)
    // Every third append has a marker before it, as after a take-over; the first may have none.
    if (this.#log.length % 3 === partition) this.#takeOver(partition)
    const producer = this.#termOf(partition) ?? { id: '2', epoch: 0 }
    const added = events.map((event, index): LoggedEvent => {
      const version = stream.length + index + 1
      return { ...event, streamId, topic, partition, offset: this.#nextOffset(partition), version, producer }
    })
    this.#log.push(...added)
    return acknowledged(added, false)
  }

  #termOf(partition: number): Producer | undefined {
    return this.#markers.findLast((marker) => marker.partition === partition)?.producer
  }

  /** The next epoch, or sometimes another producer id, as if the previous one was forgotten. */
  #takeOver(partition: number): void {
    const { id, epoch } = this.#termOf(partition) ?? { id: '10', epoch: 0 }
    const producer = epoch > 1 ? { id: String(Number(id) + 1), epoch: 0 } : { id, epoch: epoch + 1 }
    this.#markers.push({
      topic,
      partition,
      offset: this.#nextOffset(partition),
      producer,
      timestampMs: takeOverMs * this.#markers.length,
    })
  }

  #nextOffset(partition: number): number {
    const offset = this.#ends[partition] ?? 0
    this.#ends[partition] = offset + 1
    return offset
  }
}

const partitionOf = (streamId: string): number => Number(streamId.at(-1)) % partitions

const formerOf = (term: Producer | undefined): Producer =>
  term === undefined ? plainProducer : { ...term, epoch: term.epoch - 1 }

function acknowledged(events: readonly LoggedEvent[], duplicate: boolean): Outcome {
  const last = events.at(-1) as LoggedEvent
  const { topic, partition, offset } = last
  return {
    is: 'acknowledged',
    firstVersion: events[0]?.version ?? 0,
    lastVersion: last.version,
    position: { topic, partition, offset },
    eventIds: events.map(({ id }) => id),
    duplicate,
  }
}

const meets = (expected: ExpectedVersion, version: number): boolean =>
  expected === 'any' ||
  (expected === 'no-stream' && version === 0) ||
  (expected === 'stream-exists' && version > 0) ||
  expected === version

const snapshotsOf = (streamId: string, events: readonly LoggedEvent[]): StoredSnapshot[] =>
  (['topic', 'redis'] as const).map((from, index) => {
    const version = Math.max(1, events.length - index)
    return { from, streamId, version, state: totalsOf(events.slice(0, version)) }
  })

function viewsOf(keyedBy: 'stream' | 'month', events: readonly LoggedEvent[]): Map<string, unknown> {
  if (keyedBy === 'stream') {
    const streams = Map.groupBy(events, ({ streamId }) => streamId.slice('customer.'.length))
    return new Map([...streams].map(([key, own]) => [key, totalsOf(own)]))
  }
  const months = Map.groupBy(events, ({ data }) => String(data['date']).slice(0, 7))
  return new Map(
    [...months].map(([key, own]) => {
      const { purchases, cds, spend } = totalsOf(own)
      return [key, { purchases, cds, revenue: spend }]
    }),
  )
}

/** A different method than the checker's: floating point and sorting, exact enough for these small sums. */
function totalsOf(events: readonly LoggedEvent[]) {
  const days = events.map(({ data }) => String(data['date'])).sort()
  const sum = events.reduce((spend, { data }) => spend + Math.round(Number(data['amount']) * 100), 0)
  return {
    purchases: events.length,
    cds: events.reduce((cds, { data }) => cds + Number(data['cds']), 0),
    spend: (sum / 100).toFixed(2),
    first: days[0] ?? null,
    last: days.at(-1) ?? null,
  }
}
