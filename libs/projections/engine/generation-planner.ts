import { formatPartition, type Projection, type TopicPartition } from '#domain'

import type { EventFeed } from '#event-log/records'
import type { Generation, NewGeneration, OffsetRange, Until } from '../view-store/generation.ts'
import type { AddOptions, GenerationState } from '../view-store/generations.ts'
import type { EngineParts } from './engine-parts.ts'

interface PlannerOptions {
  readonly projection: Projection
  readonly sources: readonly TopicPartition[]
  readonly topicIds: Readonly<Record<string, string>>
  readonly parts: Pick<EngineParts, 'store' | 'feed' | 'observer'>
}

const reportedMax = 100

/** Decides when a projection has to be rebuilt, and starts the rebuild. */
export class GenerationPlanner {
  readonly #options: PlannerOptions
  /** The topic ids were read before this time. */
  readonly #beganAtMs = Date.now()
  #reported = ''
  readonly #reportedDamaged = new Set<string>()

  constructor(options: PlannerOptions) {
    this.#options = options
  }

  /** Whether a generation is built by this definition and from this log. */
  canMake(generation: Generation): boolean {
    const { viewVersion, indexNames } = this.#options.projection
    return (
      generation.viewVersion === viewVersion &&
      sameNames(generation.indexNames, indexNames) &&
      this.#isOfThisLog(generation)
    )
  }

  /**
   * Starts a generation when none serves, when one is damaged, or when the definition or the log is newer than the serving generation.
   * @returns whether the generations have changed.
   */
  async meetNeed(states: readonly GenerationState[]): Promise<boolean> {
    if ((await this.#replaceDamaged(states)) || (await this.#retireKeptOfOldLog(states))) return true
    const current = sound(states).filter(({ status }) => status === 'serving' || status === 'building')
    if (current.length === 0) return this.#begin({ ifNeeded: true })
    if (current.some((state) => this.canMake(state))) return false
    const { viewVersion } = this.#options.projection
    const newest = Math.max(...current.map((state) => state.viewVersion))
    if (newest > viewVersion) return this.#reportMisfit(ofNewerBuild(viewVersion, newest))
    if (newest < viewVersion) return this.#begin({ ifNeeded: true })
    const ofOtherLogs = current.filter((state) => !this.#isOfThisLog(state))
    if (ofOtherLogs.length === 0) return this.#reportMisfit(ofOtherIndexes)
    // An instance that started later has newer topic ids: two instances must not rebuild it in turns.
    if (ofOtherLogs.some(({ createdAtMs }) => createdAtMs > this.#beganAtMs))
      return this.#reportMisfit(ofOtherTopics)
    return this.#begin({ ifNeeded: false })
  }

  /** Whether it was built from topics that were deleted before this process started. */
  isOfOldLog(generation: Generation): boolean {
    return !this.#isOfThisLog(generation) && generation.createdAtMs <= this.#beganAtMs
  }

  /** Adds a generation, whether it is needed or not. @returns its id. */
  async rebuild(until?: Until): Promise<string> {
    const generation = await this.#newGeneration(until)
    await this.#options.parts.store.generations.add(this.#options.projection, generation)
    return generation.id
  }

  /** @returns whether the generations have changed. */
  async #replaceDamaged(states: readonly GenerationState[]): Promise<boolean> {
    const isReplaced = sound(states).some((state) => state.status === 'building' && this.canMake(state))
    for (const state of states) {
      if (state.damage === undefined || state.status === 'retired') continue
      this.#reportDamage(state.id, state.damage)
      // A generation that replaces it is being built already.
      if (state.status === 'serving' && isReplaced) continue
      if (await this.#replace(state)) return true
    }
    return false
  }

  /** A look at the past of a deleted log cannot be rebuilt from this one. */
  async #retireKeptOfOldLog(states: readonly GenerationState[]): Promise<boolean> {
    const { projection, parts } = this.#options
    const kept = states.find((state) => state.status === 'kept' && this.isOfOldLog(state))
    return kept !== undefined && parts.store.generations.retire({ projection, generation: kept.id })
  }

  async #replace({ id, status, viewVersion }: GenerationState): Promise<boolean> {
    const { projection, parts } = this.#options
    if (status === 'kept') return parts.store.generations.retire({ projection, generation: id })
    if (viewVersion > projection.viewVersion)
      return this.#reportMisfit(ofNewerBuild(projection.viewVersion, viewVersion))
    return this.#begin({ insteadOf: id })
  }

  async #begin(options: AddOptions): Promise<boolean> {
    const { projection, parts } = this.#options
    return parts.store.generations.add(projection, await this.#newGeneration(), options)
  }

  async #newGeneration(until?: Until): Promise<NewGeneration> {
    const { projection, sources, topicIds, parts } = this.#options
    const createdAtMs = Date.now()
    const ranges = await Promise.all(
      sources.map(async (source) => [formatPartition(source), await rangeOf(parts.feed, source)] as const),
    )
    return {
      id: newGenerationId(createdAtMs),
      viewVersion: projection.viewVersion,
      indexNames: projection.indexNames,
      createdAtMs,
      topicIds,
      range: withEnd(Object.fromEntries(ranges), until),
      ...(until && { until }),
    }
  }

  /** A topic that was recreated holds other events: views of the old one are worthless. */
  #isOfThisLog({ topicIds }: Generation): boolean {
    return Object.entries(this.#options.topicIds).every(([topic, id]) => topicIds[topic] === id)
  }

  /** Reports once for each generation, not at every poll. */
  #reportDamage(generation: string, damage: string): void {
    if (this.#reportedDamaged.has(generation)) return
    if (this.#reportedDamaged.size >= reportedMax) this.#reportedDamaged.clear()
    this.#reportedDamaged.add(generation)
    this.#options.parts.observer.damaged({ projection: this.#options.projection, generation }, damage)
  }

  /** Reports once, not at every poll. */
  #reportMisfit(what: string): false {
    const { name } = this.#options.projection
    const message = `projection ${name} is not built here: ${what}`
    if (message !== this.#reported) this.#options.parts.observer.problem(name, new Error(message))
    this.#reported = message
    return false
  }
}

const sound = (states: readonly GenerationState[]): readonly GenerationState[] =>
  states.filter(({ damage }) => damage === undefined)

const ofNewerBuild = (viewVersion: number, newest: number): string =>
  `this instance has view version ${viewVersion} of it, but version ${newest} is in use: an older build of the domain module?`
const ofOtherIndexes =
  'its indexes have changed, but its view version has not: raise viewVersion to rebuild it'
const ofOtherTopics =
  'its topics were recreated since this instance started, and another instance builds it from the new ones: restart this instance'

async function rangeOf(feed: EventFeed, source: TopicPartition): Promise<OffsetRange> {
  const [start, end] = await Promise.all([feed.startOffset(source), feed.endOffset(source)])
  return { start, end }
}

/** A partition with an exact end is not read beyond it. */
function withEnd(range: NewGeneration['range'], until: Until | undefined): NewGeneration['range'] {
  const exact = until?.exact
  const whole = exact === undefined ? undefined : range[exact.source]
  if (exact === undefined || whole === undefined) return range
  return { ...range, [exact.source]: { start: whole.start, end: exact.end } }
}

/** Sorts by time. The random suffix distinguishes generations that two instances start in the same millisecond. */
const newGenerationId = (createdAtMs: number): string =>
  `${createdAtMs.toString(36)}${Math.floor(Math.random() * 36 ** 4)
    .toString(36)
    .padStart(4, '0')}`

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name) => b.includes(name))
