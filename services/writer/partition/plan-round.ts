import { type EventId, type StreamId, type Version, versionAfter } from '#domain'
import type { EncodedEvent } from '#event-log/records'
import { decideAppend, type EventStoreError } from '#event-store'
import type { EventPlace } from '#redis-index'

import type { PendingAppend } from './pending-append.ts'

/** What is known of the stream of an append before its round. */
export interface KnownStream {
  /** 0 when it does not exist. */
  readonly version: Version
  /** The places of those events of the append that it has already. */
  readonly events: ReadonlyMap<EventId, EventPlace>
}

export interface AcceptedAppend {
  readonly append: PendingAppend
  readonly firstVersion: Version
  readonly lastVersion: Version
}

interface DuplicateAppend extends AcceptedAppend {
  /** Offset of the last event, from the first append. */
  readonly offset: number
}

export interface RoundPlan {
  readonly accepted: readonly AcceptedAppend[]
  /** The events of the accepted appends, in order: one record batch. */
  readonly events: readonly EncodedEvent[]
  readonly duplicates: readonly DuplicateAppend[]
  readonly refused: readonly { readonly append: PendingAppend; readonly error: EventStoreError }[]
  /**
   * Appends to decide in the next round: those that repeat ids of this round, which the index does not have yet, and
   * those that would be rejected because of a version of this round. Its events may never reach the log, so no answer
   * may depend on them.
   */
  readonly postponed: readonly PendingAppend[]
}

/**
 * Decides each append in order, against the known versions plus those assigned in this round. Pure.
 * @param known of the stream of each append, in their order
 */
export function planRound(
  appends: readonly PendingAppend[],
  known: readonly KnownStream[],
  timestamp: string,
): RoundPlan {
  const plan = {
    accepted: [] as AcceptedAppend[],
    events: [] as EncodedEvent[],
    duplicates: [] as DuplicateAppend[],
    refused: [] as { append: PendingAppend; error: EventStoreError }[],
    postponed: [] as PendingAppend[],
  }
  const timestampMs = Date.parse(timestamp)
  const placed = new Map<StreamId, Version>()
  const idsOfRound = new Set<EventId>()
  for (const [index, append] of appends.entries()) {
    if (append.eventIds.some((id) => idsOfRound.has(id))) {
      plan.postponed.push(append)
      continue
    }
    const stream = known[index]
    if (stream === undefined)
      throw new Error(`${known.length} streams are known for ${appends.length} appends`)
    const version = placed.get(append.streamId) ?? stream.version
    const decision = decideAppend(append, version, stream.events)
    switch (decision.kind) {
      case 'refuse':
        if (placed.has(append.streamId)) plan.postponed.push(append)
        else plan.refused.push({ append, error: decision.error })
        break
      case 'duplicate':
        plan.duplicates.push({ append, ...rangeOf(decision), offset: decision.last.offset })
        break
      case 'accept':
        plan.accepted.push({ append, ...rangeOf(decision) })
        placed.set(append.streamId, decision.lastVersion)
        for (const [place, event] of append.events.entries()) {
          idsOfRound.add(event.id)
          plan.events.push({
            id: event.id,
            streamId: append.streamId,
            type: event.type,
            version: versionAfter(decision.firstVersion, place),
            timestamp,
            timestampMs,
            metadata: event.metadata,
            value: event.value,
          })
        }
    }
  }
  return plan
}

const rangeOf = ({ firstVersion, lastVersion }: { firstVersion: Version; lastVersion: Version }) => ({
  firstVersion,
  lastVersion,
})
