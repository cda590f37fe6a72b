import type { LoggedEvent, LoggedMarker, LogPosition, Producer, Remains } from '../history.ts'

const isSame = (one: Producer, other: Producer): boolean => one.id === other.id && one.epoch === other.epoch

const placeOf = ({ topic, partition }: Omit<LogPosition, 'offset'>): string => `${topic}/${partition}`

/**
 * The events of the log that count: those whose producer id and epoch are those of the last marker before them in their partition.
 * All others are stray, however well-formed they are. Before the first marker see {@link countsUnmarked}.
 */
export function countedEvents({
  log,
  markers,
  starts,
}: Pick<Remains, 'log' | 'markers' | 'starts'>): LoggedEvent[] {
  const counted = new Set<LoggedEvent>()
  const markersOf = Map.groupBy(markers, placeOf)
  const headless = new Set(starts.filter(({ offset }) => offset > 0).map(placeOf))
  for (const [place, events] of Map.groupBy(log, placeOf)) {
    const own = (markersOf.get(place) ?? []).toSorted(byOffset)
    for (const event of countedIn(events.toSorted(byOffset), own, headless.has(place))) counted.add(event)
  }
  return log.filter((event) => counted.has(event))
}

const byOffset = (one: LogPosition, other: LogPosition): number => one.offset - other.offset

function* countedIn(
  events: readonly LoggedEvent[],
  markers: readonly LoggedMarker[],
  isHeadless: boolean,
): Generator<LoggedEvent> {
  const versions = new Map<string, number>()
  const unmarked = unmarkedIn(events, markers, isHeadless)
  for (const event of events) {
    const term = markers.findLast(({ offset }) => offset < event.offset)?.producer
    const counts =
      term === undefined
        ? countsUnmarked(event, versions.get(event.streamId), unmarked)
        : isSame(term, event.producer)
    if (!counts) continue
    versions.set(event.streamId, event.version)
    yield event
  }
}

/** What is known of events that no marker is before. */
interface Unmarked {
  /** Of the first marker. */
  readonly first: Producer | undefined
  /** Whether any of them is of that producer. */
  readonly hasOwn: boolean
  /** Whether any of them is of a producer with an id, as owners are. */
  readonly hasIdentified: boolean
  readonly isHeadless: boolean
  /** Whether the first batch begins its streams: otherwise it was meant for a topic that is gone, and the log is no copy. */
  readonly beginsStreams: boolean
}

function unmarkedIn(
  events: readonly LoggedEvent[],
  [marker]: readonly LoggedMarker[],
  isHeadless: boolean,
): Unmarked {
  const first = marker?.producer
  const isOwn = ({ offset, producer }: LoggedEvent) =>
    marker !== undefined && offset < marker.offset && producer.id === first?.id
  const isUnmarked = ({ offset }: LoggedEvent) => marker === undefined || offset < marker.offset
  const hasIdentified = events.some((event) => isUnmarked(event) && isIdentified(event))
  const hasOwn = events.some(isOwn)
  return { first, hasOwn, hasIdentified, isHeadless, beginsStreams: beginsItsStreams(events) }
}

/** A producer without idempotence has the id -1. */
const isIdentified = ({ producer }: LoggedEvent): boolean => producer.id !== '-1'

function beginsItsStreams(events: readonly LoggedEvent[]): boolean {
  const batchOf = ({ batchOffset, offset }: LoggedEvent) => batchOffset ?? offset
  const [first] = events
  const versions = new Map<string, number>()
  return events
    .filter((event) => first !== undefined && batchOf(event) === batchOf(first))
    .every(({ streamId, version }) => {
      const follows = version === (versions.get(streamId) ?? 0) + 1
      versions.set(streamId, version)
      return follows
    })
}

/**
 * Before the first marker an event counts if its version follows; where the head of the log was deleted, a stream may begin anywhere,
 * and if any event is of the first marker's producer, no other counts; nor does one of a plain producer beside one that has an id. Not, in a log that has its beginning, what the producer of its
 * first marker wrote before, nor anything where the first batch goes on with streams that the log does not have: its owner still
 * believed in a log that is gone.
 */
function countsUnmarked(
  event: LoggedEvent,
  before: number | undefined,
  { first, hasOwn, hasIdentified, isHeadless, beginsStreams }: Unmarked,
): boolean {
  const { version, producer } = event
  const isOwn = producer.id === first?.id
  if (!isHeadless) return beginsStreams && version === (before ?? 0) + 1 && !isOwn
  const mayBeOwners = hasOwn ? isOwn : isIdentified(event) || !hasIdentified
  return mayBeOwners && (before === undefined || version === before + 1)
}
