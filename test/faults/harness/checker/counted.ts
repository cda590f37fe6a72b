import type { LoggedEvent, LoggedMarker, LogPosition, Producer, Remains } from '../history.ts'

const isSame = (one: Producer, other: Producer): boolean => one.id === other.id && one.epoch === other.epoch

const placeOf = ({ topic, partition }: Omit<LogPosition, 'offset'>): string => `${topic}/${partition}`

/**
 * The events of the log that count: their producer id and epoch equal those of the last marker before them in their
 * partition. All others are stray, even if they are well-formed. For events before the first marker see
 * {@link countsUnmarked}.
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

/** Facts about events before the first marker. */
interface Unmarked {
  /** The producer of the first marker. */
  readonly first: Producer | undefined
  /** Whether any of them is from that producer. */
  readonly hasOwn: boolean
  /** Whether any of them is from a producer with an id; owners have one. */
  readonly hasIdentified: boolean
  readonly isHeadless: boolean
  /**
   * Whether the first batch starts its streams. If it does not, it was meant for a topic that was deleted, and the log
   * is not a copy.
   */
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
 * Before the first marker an event counts if its version follows. There are exceptions. If the head of the log was
 * deleted, a stream may start at any version. If any event is from the first marker's producer, no other counts. If
 * any is from a producer with an id, none from a plain producer counts. In a log with its head, nothing counts that
 * the producer of the first marker wrote before it, and nothing at all if the first batch continues streams that the
 * log does not have: its owner did not know yet that the previous log was deleted.
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
