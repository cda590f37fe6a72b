import type { LoggedEvent, LoggedMarker, Producer, Remains } from '../history.ts'

const isSame = (one: Producer, other: Producer): boolean => one.id === other.id && one.epoch === other.epoch

/**
 * The events of the log that count: those whose producer id and epoch are those of the last marker before them in their partition.
 * Before the first marker an event counts if its version follows. All others are stray, however well-formed they are.
 */
export function countedEvents({ log, markers }: Pick<Remains, 'log' | 'markers'>): LoggedEvent[] {
  const placed = [
    ...log.map((event) => ({ ...placeOf(event), event })),
    ...markers.map((marker) => ({ ...placeOf(marker), marker })),
  ].sort((one, other) => one.name.localeCompare(other.name) || one.offset - other.offset)
  const terms = new Map<string, Producer>()
  const versions = new Map<string, number>()
  const counted = new Set<LoggedEvent>()
  for (const each of placed) {
    if ('marker' in each) {
      terms.set(each.name, each.marker.producer)
      continue
    }
    const { streamId, version, producer } = each.event
    const term = terms.get(each.name)
    const counts = term === undefined ? version === (versions.get(streamId) ?? 0) + 1 : isSame(term, producer)
    if (!counts) continue
    counted.add(each.event)
    versions.set(streamId, version)
  }
  return log.filter((event) => counted.has(event))
}

const placeOf = ({ topic, partition, offset }: LoggedMarker | LoggedEvent) => ({
  name: `${topic}/${partition}`,
  offset,
})
