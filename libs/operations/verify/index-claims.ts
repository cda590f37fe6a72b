import { setTimeout as pause } from 'node:timers/promises'

import { type StreamId, streamIdOf } from '#domain'
import {
  type Guard,
  IndexUnavailableError,
  type InspectedStream,
  type PartitionIndex,
  type StoredSnapshot,
} from '#redis-index'

import type { StreamSample } from './sample.ts'

/** The index entry of a stream. */
export interface StreamClaim {
  readonly version: number
  readonly firstTimestampMs: number
  readonly lastTimestampMs: number
  /** The offsets of versions 1, 2, 3 … */
  readonly offsets: readonly number[]
  readonly snapshot?: StoredSnapshot
}

/** The index of a partition under one guard. It may already contain events after the guard's offset. */
export interface IndexClaims {
  readonly guard: Guard
  readonly streams: ReadonlyMap<StreamId, StreamClaim>
  /** Reasons by stream whose index entry cannot be read. */
  readonly unreadable: ReadonlyMap<string, string>
}

interface ClaimsAsked {
  readonly index: Pick<PartitionIndex, 'guard' | 'aggregateIds' | 'inspect'>
  readonly aggregateType: string
  readonly sample: StreamSample
}

/** Small enough that other clients of Redis do not wait long. */
const streamsAtOnce = 100
const attemptsMax = 5
const attemptPauseMs = 500

/**
 * Reads the index of a partition. Starts over if another owner takes over the partition meanwhile, or Redis does not answer.
 * @returns undefined if there is no index.
 * @throws IndexUnavailableError after several attempts.
 */
export async function readClaims(asked: ClaimsAsked): Promise<IndexClaims | undefined> {
  let last = new IndexUnavailableError(
    `the owner of the index changed during each of ${attemptsMax} attempts to read it: verify again when the owners are stable`,
  )
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    try {
      const guard = await asked.index.guard()
      if (guard === undefined) return undefined
      const claims = await claimsUnder(guard, asked)
      if (claims !== 'guard-lost') return claims
    } catch (error) {
      if (!(error instanceof IndexUnavailableError)) throw error
      last = error
    }
    await pause(attemptPauseMs)
  }
  throw last
}

async function claimsUnder(
  guard: Guard,
  { index, aggregateType, sample }: ClaimsAsked,
): Promise<'guard-lost' | IndexClaims> {
  const streams = new Map<StreamId, StreamClaim>()
  const unreadable = new Map<string, string>()
  const names = new Set<string>()
  for await (const name of index.aggregateIds()) if (sample.has(`${aggregateType}.${name}`)) names.add(name)
  const all = [...names]
  for (let at = 0; at < all.length; at += streamsAtOnce) {
    const batch = all.slice(at, at + streamsAtOnce)
    const inspected = await index.inspect(guard, batch)
    if (inspected === 'guard-lost') return 'guard-lost'
    for (const [place, name] of batch.entries()) {
      const claim = claimOf(aggregateType, name, inspected[place])
      if (typeof claim === 'string') unreadable.set(`${aggregateType}.${name}`, claim)
      else if (claim !== undefined) streams.set(claim.streamId, claim)
    }
  }
  return { guard, streams, unreadable }
}

/** @returns the reason why it cannot be read; undefined if it no longer exists. */
function claimOf(
  aggregateType: string,
  name: string,
  inspected: InspectedStream | Error | undefined,
): (StreamClaim & { readonly streamId: StreamId }) | string | undefined {
  if (inspected === undefined) return undefined
  try {
    if (inspected instanceof Error) throw inspected
    return { ...inspected, streamId: streamIdOf(aggregateType, name) }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
