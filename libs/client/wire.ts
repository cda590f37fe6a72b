import {
  type AppendResult,
  type LoadedStream,
  parsePosition,
  type RecordedEvent,
  type StreamPage,
} from '#domain'
import type { EventStoreError } from '#event-store'
import { type CategoryPage, fromProblem, type Problem, type ValidAppend } from '#event-store'

/** JSON from the writer has the types of the ports, except that positions are tokens. */
type Wire<T extends { readonly position: unknown }> = Omit<T, 'position'> & { readonly position: string }
type WithWireEvents<T> = Omit<T, 'events'> & { readonly events: readonly Wire<RecordedEvent>[] }

/** Encodes a validated append as an item of `/appends`. Retries send the same text. */
export const encodeAppend = ({ streamId, expectedVersion, events }: ValidAppend): string =>
  JSON.stringify({ streamId, expectedVersion, events: events.map(newEvent) })

/** Keeps only the fields of a new event, so a recorded event can be appended to another stream. */
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

/** Decodes the results of `/appends`. @param count number of appends that were sent */
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
