import { type Version, versionAfter } from '#domain'

import { clipRun, decodeEventRun, type EventRun } from './event-run.ts'
import type { StoredSnapshot } from './snapshot.ts'

/** What loadScript answers of a stream. Tail and what was lately read are event runs, not yet decoded. */
export interface StreamParts {
  readonly version: Version
  readonly snapshot: StoredSnapshot | undefined
  readonly tail: Buffer | undefined
  readonly lately: Buffer | undefined
}

export interface LoadedFromIndex {
  /** 0 where there is no stream. */
  readonly version: Version
  readonly snapshot?: StoredSnapshot
  /** The last events, contiguous up to `version`, none of them before the snapshot. */
  readonly tail: readonly Buffer[]
  /** Of the first event in `tail`; `version` + 1 where it is empty. */
  readonly firstTailVersion: Version
  /** Versions between snapshot and tail that Redis does not have, both inclusive: {@link PartitionIndex.offsets} says where they are. */
  readonly missing?: { readonly from: Version; readonly to: Version }
}

export function assembleLoad({ version, snapshot, tail, lately }: StreamParts): LoadedFromIndex {
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
    ...(from < firstTailVersion && {
      missing: { from: from as Version, to: versionAfter(firstTailVersion, -1) },
    }),
  }
}

export function assembleRecent(
  { version, tail, lately }: StreamParts,
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
