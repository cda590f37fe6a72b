import { type Version, versionAfter } from '#domain'

import type { EventPlace } from './asks.ts'
import { clipRun, decodeEventRun, type EventRun } from './event-run.ts'
import { missingEventsMax } from './scripts/stream-scripts.ts'
import type { StoredSnapshot } from './snapshot.ts'

/** The events that Redis keeps of a stream, as event runs that are not decoded yet. */
interface RecentEvents {
  readonly version: Version
  readonly tail: Buffer | undefined
  readonly lately: Buffer | undefined
}

/** What streamScript answers of a stream. */
export interface StreamParts extends RecentEvents {
  readonly snapshot: StoredSnapshot | undefined
  /** Where in the log versions are, both inclusive, of those that the script was asked for. */
  readonly placesOf: (fromVersion: number, toVersion: number) => readonly EventPlace[]
}

/** Events of consecutive versions of a stream, as far as the index knows them. */
export interface IndexedEvents {
  readonly fromVersion: number
  /** By version, from `fromVersion` on; `undefined` for each event that Redis does not have. */
  readonly recent: readonly (Buffer | undefined)[]
  /** Where in the log they are, in the order of their versions. */
  readonly places: readonly EventPlace[]
}

export interface LoadedFromIndex {
  /** 0 where there is no stream. */
  readonly version: Version
  readonly snapshot?: StoredSnapshot
  /** The last events, contiguous up to `version`, none of them before the snapshot. */
  readonly tail: readonly Buffer[]
  /** Of the first event in `tail`; `version` + 1 where it is empty. */
  readonly firstTailVersion: Version
  readonly missing?: MissingEvents
}

/** Versions between snapshot and tail, both inclusive, of which Redis does not have all. */
interface MissingEvents {
  readonly from: Version
  readonly to: Version
  /** The first ones of them, up to {@link missingEventsMax}. */
  readonly events: IndexedEvents
}

export function assembleLoad(parts: StreamParts): LoadedFromIndex {
  const { version, snapshot, tail, lately } = parts
  const from = (snapshot?.version ?? 0) + 1
  const recent = clipRun(decoded(tail), from, version)
  const firstRecent = recent?.firstVersion ?? version + 1
  const older = clipRun(decoded(lately), from, firstRecent - 1)
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

/** The events of these versions, both inclusive; those that the stream does not have are left out. */
export function assembleEvents(parts: StreamParts, fromVersion: number, toVersion: number): IndexedEvents {
  const last = Math.min(toVersion, parts.version)
  return {
    fromVersion,
    recent: assembleRecent(parts, fromVersion, last),
    places: parts.placesOf(fromVersion, last),
  }
}

export function assembleRecent(
  { version, tail, lately }: RecentEvents,
  fromVersion: number,
  toVersion: number,
): (Buffer | undefined)[] {
  const last = Math.min(toVersion, version)
  const events = new Array<Buffer | undefined>(Math.max(0, last - fromVersion + 1)).fill(undefined)
  for (const run of [
    clipRun(decoded(lately), fromVersion, last),
    clipRun(decoded(tail), fromVersion, last),
  ]) {
    run?.payloads.forEach((payload, index) => (events[run.firstVersion - fromVersion + index] = payload))
  }
  return events
}

const decoded = (bytes: Buffer | undefined): EventRun | undefined =>
  bytes === undefined ? undefined : decodeEventRun(bytes)
