import { setTimeout as pause } from 'node:timers/promises'

import { type StreamId, streamIdOf } from '#domain'
import { unpackEvent } from '#event-log'
import { type Guard, IndexUnavailableError, type PartitionIndex, type StoredSnapshot } from '#redis-index'

import { eventDigest } from './event-digest.ts'
import type { Sample } from './sample.ts'

/** What the index says of a stream. */
export interface StreamClaim {
  readonly version: number
  readonly firstTimestampMs: number
  readonly lastTimestampMs: number
  /** Of version 1, 2, 3 … */
  readonly offsets: readonly number[]
  /** Digests of the events that it keeps, by version. */
  readonly recent: ReadonlyMap<number, number>
  readonly snapshot?: StoredSnapshot
}

/** What the index says of a partition, as of one look at its guard; newer events may be in it already. */
export interface IndexClaims {
  readonly guard: Guard
  readonly streams: ReadonlyMap<StreamId, StreamClaim>
  /** Streams of which the index holds what nobody can read, and why. */
  readonly unreadable: ReadonlyMap<string, string>
}

const asksInFlightMax = 32
const attemptsMax = 5
const attemptPauseMs = 500

export interface ClaimsAsked {
  readonly index: PartitionIndex
  readonly aggregateType: string
  readonly sample: Sample
  /** Of the snapshots that count; undefined where there are none. */
  readonly stateVersion: number | undefined
}

/**
 * Reads what the index holds of a partition. Begins anew when another owner takes it over meanwhile.
 * @returns undefined where there is no index.
 * @throws IndexUnavailableError, also where owners change all the time.
 */
export async function readClaims(asked: ClaimsAsked): Promise<IndexClaims | undefined> {
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const guard = await asked.index.guard()
    if (guard === undefined) return undefined
    const claims = await claimsUnder(guard, asked)
    if (claims !== 'guard-lost') return claims
    await pause(attemptPauseMs)
  }
  throw new IndexUnavailableError(
    `the index changed its owner in ${attemptsMax} looks one after the other: verify again when the partitions have settled`,
  )
}

async function claimsUnder(
  guard: Guard,
  { index, aggregateType, sample, stateVersion }: ClaimsAsked,
): Promise<'guard-lost' | IndexClaims> {
  const streams = new Map<StreamId, StreamClaim>()
  const unreadable = new Map<string, string>()
  const names = new Set<string>()
  for await (const name of index.aggregateIds()) if (sample.has(`${aggregateType}.${name}`)) names.add(name)
  const waiting = names.values()
  const ask = async (): Promise<boolean> => {
    for (const name of waiting) {
      const claim = await readableClaim(guard, index, aggregateType, name, stateVersion)
      if (claim === 'guard-lost') return false
      if (typeof claim === 'string') unreadable.set(`${aggregateType}.${name}`, claim)
      else if (claim !== undefined) streams.set(streamIdOf(aggregateType, name), claim)
    }
    return true
  }
  const isHeld = await Promise.all(Array.from({ length: asksInFlightMax }, ask))
  return isHeld.includes(false) ? 'guard-lost' : { guard, streams, unreadable }
}

/** @returns a text that says why it cannot be read; undefined where it is gone. */
async function readableClaim(
  guard: Guard,
  index: PartitionIndex,
  aggregateType: string,
  name: string,
  stateVersion: number | undefined,
): Promise<StreamClaim | string | undefined> {
  try {
    return await claimOf(guard, index, streamIdOf(aggregateType, name), stateVersion)
  } catch (error) {
    if (error instanceof IndexUnavailableError) throw error
    return error instanceof Error ? error.message : String(error)
  }
}

async function claimOf(
  guard: Guard,
  index: PartitionIndex,
  streamId: StreamId,
  stateVersion: number | undefined,
): Promise<StreamClaim | 'guard-lost' | undefined> {
  const info = await index.info(guard, streamId)
  if (info === undefined || info === 'guard-lost') return info
  const places = await index.offsets(guard, streamId, 1, info.version)
  const kept = await index.recent(guard, streamId, 1, info.version)
  if (places === 'guard-lost' || kept === 'guard-lost') return 'guard-lost'
  const loaded =
    stateVersion === undefined || info.snapshotVersion === undefined
      ? undefined
      : await index.load(guard, streamId, { stateVersion })
  if (loaded === 'guard-lost') return 'guard-lost'
  return {
    ...info,
    offsets: places.map(({ offset }) => offset),
    recent: digests(streamId, kept),
    ...(loaded?.snapshot && { snapshot: loaded.snapshot }),
  }
}

function digests(streamId: StreamId, kept: readonly (Buffer | undefined)[]): ReadonlyMap<number, number> {
  const found = new Map<number, number>()
  for (const [index, payload] of kept.entries()) {
    if (payload !== undefined) found.set(index + 1, eventDigest(unpackEvent(streamId, payload)))
  }
  return found
}
