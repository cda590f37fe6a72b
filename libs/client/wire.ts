import {
  type AppendResult,
  type LoadedStream,
  parsePosition,
  type RecordedEvent,
  type StreamPage,
} from '#domain'
import type { EventStoreError } from '#event-store'
import { type CategoryPage, fromProblem, type Problem, type ValidAppend } from '#event-store'

/** What the writer sends is what the ports speak of, but for positions, which are tokens. */
type Wire<T extends { readonly position: unknown }> = Omit<T, 'position'> & { readonly position: string }
type WithWireEvents<T> = Omit<T, 'events'> & { readonly events: readonly Wire<RecordedEvent>[] }

/** An append as one item of `/appends`, its data checked. Written once: each further try sends the very same text. */
export const encodeAppend = ({ streamId, expectedVersion, events }: ValidAppend): string =>
  JSON.stringify({ streamId, expectedVersion, events: events.map(newEvent) })

/** Only what an append may hold, so that a recorded event may be appended elsewhere as it is. */
const newEvent = ({ id, type, data = null, metadata }: ValidAppend['events'][number]) => ({
  id,
  type,
  data,
  metadata,
})

export const decodeEvent = (json: unknown): RecordedEvent => {
  const event = json as Wire<RecordedEvent>
  return { ...event, position: parsePosition(event.position) }
}

const decodeEvents = <T>(page: WithWireEvents<T>) => ({ ...page, events: page.events.map(decodeEvent) })

export const decodePage = (json: unknown): StreamPage => decodeEvents(json as WithWireEvents<StreamPage>)

export function decodeLoaded(json: unknown): LoadedStream {
  const { version, snapshot, events } = json as WithWireEvents<LoadedStream>
  return { version, events: events.map(decodeEvent), ...(snapshot !== undefined && { snapshot }) }
}

export const decodeCategoryPage = (json: unknown): CategoryPage =>
  decodeEvents(json as WithWireEvents<CategoryPage>)

type WireAnswer = { readonly status: number } & (Wire<AppendResult> | Problem)

/** @param count of the appends that were sent. */
export function decodeAnswers(json: unknown, count: number): readonly (AppendResult | EventStoreError)[] {
  const { results } = json as { readonly results: readonly WireAnswer[] }
  if (results.length !== count) throw new Error(`${results.length} results for ${count} appends`)
  return results.map(decodeAnswer)
}

function decodeAnswer(answer: WireAnswer): AppendResult | EventStoreError {
  if (!('streamId' in answer)) return fromProblem(answer.status, answer)
  const { streamId, firstVersion, lastVersion, position, eventIds, duplicate } = answer
  return { streamId, firstVersion, lastVersion, position: parsePosition(position), eventIds, duplicate }
}
