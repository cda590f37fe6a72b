import { type AggregateStore, type AppendResult, isConflict } from './aggregate-store.ts'
import type { NewEvent } from './event.ts'
import type { EventId } from './event-id.ts'
import { type RetryPolicy, withRetry } from './retry.ts'
import type { StreamId } from './stream-id.ts'
import { type Version, versionAfter } from './version.ts'

type IdentifiedEvent = NewEvent & { readonly id: EventId }

interface Expected {
  readonly streamId: StreamId
  readonly version: Version
}

const mayResend = (error: unknown): boolean =>
  error instanceof Error && 'retry' in error && error.retry === 'same-ids'

/**
 * Appends events, and retries with the same ids while the store reports that this is safe (`retry: 'same-ids'`).
 *
 * The store recognises recent event ids only. A conflict after a try without an answer may therefore be caused by that
 * try. In that case the stream is read: only events of another writer are a conflict.
 */
export async function appendSettled(
  store: AggregateStore,
  retry: RetryPolicy,
  { streamId, version }: Expected,
  events: readonly IdentifiedEvent[],
): Promise<AppendResult> {
  return withRetry(retry, mayResend, async (failures) => {
    try {
      return await store.append(streamId, events, { expectedVersion: version })
    } catch (error) {
      if (failures === 0 || !isConflict(error)) throw error
      const own = await findOwn(store, { streamId, version }, events)
      if (own === undefined) throw error
      return own
    }
  })
}

/** An append is atomic and ids are unique, so finding its last event proves that all of it is in the stream. */
async function findOwn(
  store: AggregateStore,
  { streamId, version }: Expected,
  events: readonly IdentifiedEvent[],
): Promise<AppendResult | undefined> {
  const lastVersion = versionAfter(version, events.length)
  const page = await store.read(streamId, { fromVersion: lastVersion, toVersion: lastVersion })
  const last = page.events[0]
  if (last === undefined || last.id !== events.at(-1)?.id) return undefined
  return {
    streamId,
    firstVersion: versionAfter(version),
    lastVersion,
    position: last.position,
    eventIds: events.map(({ id }) => id),
    duplicate: true,
  }
}
