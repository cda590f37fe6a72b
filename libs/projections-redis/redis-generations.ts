import { formatPartition, type TopicPartition } from '#domain'
import type {
  AddOptions,
  Generations,
  GenerationState,
  NewGeneration,
  Stop,
  StoredProjection,
  SwitchOutcome,
  ViewSet,
} from '#projections'

import { stopScript } from './change-scripts.ts'
import {
  addGenerationScript,
  discardScript,
  generationsScript,
  resumeScript,
  retireScript,
  switchScript,
} from './generation-scripts.ts'
import { decodeGeneration, type GenerationReply } from './generation-state.ts'
import type { ProjectionScripts } from './projection-scripts.ts'
import { encodeTime } from './stored-view.ts'

/** {@link Generations} in Redis. */
export class RedisGenerations implements Generations {
  readonly #scripts: ProjectionScripts
  readonly #now: () => number

  constructor(scripts: ProjectionScripts, now: () => number) {
    this.#scripts = scripts
    this.#now = now
  }

  async list(projection: StoredProjection): Promise<readonly GenerationState[]> {
    const reply = (await this.#scripts.run(generationsScript, projection, [])) as GenerationReply[]
    return reply.map(decodeGeneration).sort((one, other) => (one.id < other.id ? -1 : 1))
  }

  async add(
    projection: StoredProjection,
    generation: NewGeneration,
    { ifNeeded = false, insteadOf = '' }: AddOptions = {},
  ): Promise<boolean> {
    const { id, viewVersion, until } = generation
    const flags = [until === undefined ? 0 : 1, ifNeeded ? 1 : 0]
    const items = [id, JSON.stringify(generation), viewVersion, ...flags, insteadOf]
    return (await this.#scripts.run(addGenerationScript, projection, items)) === 1
  }

  async switchTo(set: ViewSet, holdMs: number): Promise<SwitchOutcome> {
    const heldUntilMs = String(this.#now() + holdMs)
    return String(
      await this.#scripts.runOn(switchScript, set, [set.generation, heldUntilMs]),
    ) as SwitchOutcome
  }

  async retire(set: ViewSet): Promise<boolean> {
    return (await this.#scripts.runOn(retireScript, set, [set.generation])) === 1
  }

  async discard(set: ViewSet, limit: number): Promise<boolean> {
    const items = [set.generation, encodeTime(this.#now()), limit]
    return (await this.#scripts.runOn(discardScript, set, items)) === 1
  }

  async stop(set: ViewSet, source: TopicPartition, stop: Stop): Promise<void> {
    await this.#scripts.runOn(stopScript, set, [formatPartition(source), JSON.stringify(stop)])
  }

  async resume(projection: StoredProjection, source?: TopicPartition): Promise<number> {
    const items = [source === undefined ? '' : formatPartition(source)]
    return (await this.#scripts.run(resumeScript, projection, items)) as number
  }
}
