import { formatPartition, formatPosition, parsePartition, type Position } from '#domain'

import type { Generation, GenerationStatus, NewGeneration } from '../view-store/generation.ts'
import type { GenerationState, Stop } from '../view-store/generations.ts'
import type { UnpublishedView } from '../view-store/outbox.ts'
import type { ParkedEvent } from '../view-store/parked-event.ts'
import type { ApplyParkedOutcome } from '../view-store/parked-events.ts'
import { type CommitOutcome, hasExpired, type ViewChange, type ViewCommit } from '../view-store/views.ts'
import type { MemoryView } from './memory-view.ts'

/** Everything that belongs to one generation. */
export class MemoryGeneration {
  status: GenerationStatus
  /** From this time on it accepts commits again. */
  heldUntilMs = 0
  readonly checkpoints = new Map<string, number>()
  readonly stops = new Map<string, Stop>()
  readonly views = new Map<string, MemoryView>()
  readonly parked = new Map<string, ParkedEvent>()
  readonly unpublished = new Map<string, UnpublishedView>()
  readonly #made: NewGeneration
  #revision = 0

  constructor(made: NewGeneration, status: GenerationStatus) {
    this.#made = made
    this.status = status
  }

  get id(): string {
    return this.#made.id
  }

  get viewVersion(): number {
    return this.#made.viewVersion
  }

  state(): GenerationState {
    const generation: Generation = { ...this.#made, status: this.status }
    return {
      ...generation,
      checkpoints: new Map(this.checkpoints),
      stops: new Map(this.stops),
      views: this.views.size,
      parked: this.parked.size,
      unpublished: this.unpublished.size,
    }
  }

  /** Whether the event at a position is applied. */
  hasApplied({ topic, partition, offset }: Position): boolean {
    return (this.checkpoints.get(formatPartition({ topic, partition })) ?? 0) > offset
  }

  /** Whether it is at least as far as another one in each of the other's partitions that hold the same log. */
  isLevelWith(other: MemoryGeneration): boolean {
    return [...other.checkpoints].every(([source, offset]) => {
      const { topic } = parsePartition(source)
      const sameLog = this.#made.topicIds[topic] === other.#made.topicIds[topic]
      return !sameLog || (this.checkpoints.get(source) ?? 0) >= offset
    })
  }

  commit({ source, from, to, changes, parked }: ViewCommit, nowMs: number): CommitOutcome {
    if (this.checkpoints.get(formatPartition(source)) !== from) return 'checkpoint-moved'
    if (nowMs < this.heldUntilMs) return 'held'
    if (!this.#isAsRead(changes)) return 'view-changed'
    this.#apply(changes)
    for (const event of parked) this.parked.set(formatPosition(event.position), event)
    this.checkpoints.set(formatPartition(source), to)
    return 'committed'
  }

  applyParked(position: Position, changes: readonly ViewChange[]): Exclude<ApplyParkedOutcome, 'gone'> {
    const token = formatPosition(position)
    if (!this.parked.has(token)) return 'not-parked'
    if (!this.#isAsRead(changes)) return 'view-changed'
    this.#apply(changes)
    this.parked.delete(token)
    return 'applied'
  }

  expire(nowMs: number, limit: number): number {
    const expired = [...this.views].filter(([, view]) => hasExpired(view, nowMs)).slice(0, limit)
    const revision = this.#nextRevision()
    for (const [key] of expired) this.#remove(key, revision, nowMs)
    return expired.length
  }

  /** Deletes up to `limit` keys: those of views, and those of deletions that the changelog does not have yet. */
  takeKeys(limit: number): string[] {
    const keys = [...new Set([...this.views.keys(), ...this.unpublished.keys()])].slice(0, limit)
    for (const key of keys) {
      this.views.delete(key)
      this.unpublished.delete(key)
    }
    return keys
  }

  /** The changelog may have views under these keys. Keys without a view here are marked as deletions to publish. */
  noteAbsent(keys: readonly string[], nowMs: number): void {
    const revision = this.#nextRevision()
    for (const key of keys) {
      if (!this.views.has(key) && !this.unpublished.has(key)) this.#remove(key, revision, nowMs)
    }
  }

  #isAsRead(changes: readonly ViewChange[]): boolean {
    return changes.every(({ key, expected }) => (this.views.get(key)?.revision ?? 0) === expected)
  }

  #apply(changes: readonly ViewChange[]): void {
    const revision = this.#nextRevision()
    for (const { key, json, indexes, changedAtMs, expiresAtMs } of changes) {
      if (json === null) {
        this.#remove(key, revision, changedAtMs)
        continue
      }
      const view = { json, revision, changedAtMs, ...(expiresAtMs !== undefined && { expiresAtMs }) }
      this.views.set(key, { ...view, indexes: new Map(Object.entries(indexes)) })
      this.unpublished.set(key, { key, json, revision, changedAtMs })
    }
  }

  #remove(key: string, revision: number, changedAtMs: number): void {
    this.views.delete(key)
    this.unpublished.set(key, { key, json: null, revision, changedAtMs })
  }

  #nextRevision(): number {
    this.#revision += 1
    return this.#revision
  }
}
