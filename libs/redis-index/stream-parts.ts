import { type Version, versionAfter } from '#domain'

import type { EventPlace } from './asks.ts'
import { clipRun, type EventRun } from './event-run.ts'
import { missingEventsMax } from './scripts/stream-scripts.ts'
import type { StoredSnapshot } from './snapshot.ts'

/** The stored events of a stream. */
interface RecentEvents {
  readonly version: Version
  readonly tail: EventRun | undefined
  readonly lately: EventRun | undefined
}

/** Decodes the offsets of these versions, both inclusive. It may omit versions in the tail. */
type PlacesOf = (fromVersion: number, toVersion: number) => readonly EventPlace[]

/** The reply of streamScript for a stream. */
export interface StreamParts extends RecentEvents {
  readonly snapshot: StoredSnapshot | undefined
  readonly placesOf: PlacesOf
}

/** Events of consecutive versions of a stream, as far as the index has them. */
export interface IndexedEvents {
  readonly fromVersion: number
  /** The events by version from `fromVersion` on; `undefined` for each that Redis does not have. */
  readonly recent: readonly (Buffer | undefined)[]
  /** The offsets in the order of versions, for those that Redis does not have. */
  readonly placesOf: PlacesOf
}

export interface LoadedFromIndex {
  /** 0 when there is no stream. */
  readonly version: Version
  readonly snapshot?: StoredSnapshot
  /** The last events, contiguous up to `version`, none of them before the snapshot. */
  readonly tail: readonly Buffer[]
  /** The version of the first event in `tail`; `version` + 1 when that is empty. */
  readonly firstTailVersion: Version
  readonly missing?: MissingEvents
}

/** The versions between snapshot and tail, both inclusive. Redis lacks at least one of their events. */
interface MissingEvents {
  readonly from: Version
  readonly to: Version
  /** The first of them, up to {@link missingEventsMax}. */
  readonly events: IndexedEvents
}

export function assembleLoad(parts: StreamParts): LoadedFromIndex {
  const { version, snapshot, tail, lately } = parts
  const from = (snapshot?.version ?? 0) + 1
  const recent = clipRun(tail, from, version)
  const firstRecent = recent?.firstVersion ?? version + 1
  const older = clipRun(lately, from, firstRecent - 1)
  const joins = older !== undefined && older.firstVersion + older.payloads.length === firstRecent
  const firstTailVersion = (joins ? older.firstVersion : firstRecent) as Version
  return {
    version,
    ...(snapshot && { snapshot }),
    tail: [...(joins ? older.payloads : []), ...(recent?.payloads ?? [])],
    firstTailVersion,
    ...(from < firstTailVersion && { missing: missingEvents(parts, from, firstTailVersion) }),
  }
}

function missingEvents(parts: StreamParts, from: number, firstTailVersion: Version): MissingEvents {
  const to = versionAfter(firstTailVersion, -1)
  const events = assembleEvents(parts, from, Math.min(to, from + missingEventsMax - 1))
  return { from: from as Version, to, events }
}

/** The events of these versions, both inclusive. Versions that the stream does not have are left out. */
export function assembleEvents(parts: StreamParts, fromVersion: number, toVersion: number): IndexedEvents {
  return {
    fromVersion,
    recent: assembleRecent(parts, fromVersion, toVersion),
    placesOf: parts.placesOf,
  }
}

export function assembleRecent(
  { version, tail, lately }: RecentEvents,
  fromVersion: number,
  toVersion: number,
): (Buffer | undefined)[] {
  const last = Math.min(toVersion, version)
  const events = new Array<Buffer | undefined>(Math.max(0, last - fromVersion + 1)).fill(undefined)
  for (const run of [clipRun(lately, fromVersion, last), clipRun(tail, fromVersion, last)]) {
    run?.payloads.forEach((payload, index) => (events[run.firstVersion - fromVersion + index] = payload))
  }
  return events
}
