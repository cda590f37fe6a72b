import type { EventId, Version } from '#domain'
import type { Ask, Checked, EventPlace, Guard, PartitionIndex } from '#redis-index'

import type { RecentStream } from '../memory/recent-streams.ts'
import type { TermMemory } from '../memory/term-memory.ts'
import type { PendingAppend } from './pending-append.ts'
import type { KnownStream } from './plan-round.ts'

/** Places in one script: few enough that no script blocks Redis for long. */
const placesMax = 1_000

const noEvents: ReadonlyMap<EventId, EventPlace> = new Map()

type Memory = Pick<TermMemory, 'version' | 'stream' | 'seek' | 'placesOf'>

/** An append that memory alone cannot decide. */
interface Question {
  readonly index: number
  /** The id of each place in `ask`. */
  readonly ids: readonly EventId[]
  readonly ask: Ask
}

/**
 * What is known of the streams of a batch. Memory answers what it can: the version of a recently used stream, and that an id is new.
 * The index is asked for the versions of other streams, and whether a remembered id is of this stream.
 */
export class BatchCheck {
  readonly #known: KnownStream[]
  readonly #questions: Question[] = []

  constructor(memory: Memory, batch: readonly PendingAppend[]) {
    memory.seek(() => batch.flatMap(({ eventIds }) => eventIds))
    this.#known = batch.map((append, index) => this.#recall(memory, append, index))
  }

  /** Whether memory knows everything. */
  get isComplete(): boolean {
    return this.#questions.length === 0
  }

  /** @returns the known stream of each append of the batch, or `guard-lost`. */
  async complete(
    index: Pick<PartitionIndex, 'check'>,
    guard: Guard,
  ): Promise<'guard-lost' | readonly KnownStream[]> {
    const scripts = inScripts(this.#questions)
    const answers = await Promise.all(
      scripts.map((some) =>
        index.check(
          guard,
          some.map(({ ask }) => ask),
        ),
      ),
    )
    for (const [at, checked] of answers.entries()) {
      if (checked === 'guard-lost') return checked
      for (const [place, question] of (scripts[at] ?? []).entries()) this.#learn(question, checked[place])
    }
    return this.#known
  }

  #recall(memory: Memory, { streamId, eventIds }: PendingAppend, index: number): KnownStream {
    const version = memory.version(streamId)
    const open: [EventId, EventPlace][] = []
    let events: Map<EventId, EventPlace> | undefined
    for (const id of eventIds) {
      const places = memory.placesOf(id)
      if (places.length === 0) continue
      const stream = memory.stream(streamId)
      for (const place of places) {
        const isOfStream = stream === undefined ? undefined : hasAt(stream, place)
        if (isOfStream === undefined) open.push([id, place])
        else if (isOfStream) (events ??= new Map()).set(id, place)
      }
    }
    if (version === undefined || open.length > 0) {
      const ask = { streamId, places: open.map(([, place]) => place) }
      this.#questions.push({ index, ids: open.map(([id]) => id), ask })
    }
    return { version: version ?? (0 as Version), events: events ?? noEvents }
  }

  #learn({ index, ids, ask }: Question, checked: Checked | undefined): void {
    if (checked === undefined) throw new Error(`the index did not answer for ${ask.streamId}`)
    const events = new Map(this.#known[index]?.events)
    const isFound = new Set(checked.places)
    for (const [at, place] of ask.places.entries()) {
      const id = ids[at]
      if (id !== undefined && isFound.has(place)) events.set(id, place)
    }
    this.#known[index] = { version: checked.version, events }
  }
}

/** Whether the event at a place is of this stream; undefined if memory lacks that version. */
function hasAt(stream: RecentStream, { version, offset }: EventPlace): boolean | undefined {
  if (version > stream.version) return false
  if (version < stream.firstVersion) return undefined
  return stream.offsetOf(version) === offset
}

/** The questions in groups of a script's size. A question with more places is divided. */
function inScripts(questions: readonly Question[]): Question[][] {
  const scripts: Question[][] = []
  let places = placesMax
  for (const question of questions.flatMap(divided)) {
    places += question.ask.places.length
    if (places >= placesMax) {
      scripts.push([])
      places = question.ask.places.length
    }
    scripts.at(-1)?.push(question)
  }
  return scripts
}

function divided(question: Question): Question[] {
  const { index, ids, ask } = question
  if (ids.length <= placesMax) return [question]
  const parts: Question[] = []
  for (let from = 0; from < ids.length; from += placesMax) {
    const places = ask.places.slice(from, from + placesMax)
    parts.push({ index, ids: ids.slice(from, from + placesMax), ask: { ...ask, places } })
  }
  return parts
}
