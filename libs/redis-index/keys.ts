/** The names of a partition's keys. They share one hash tag, so that Redis Cluster holds them in one slot. */
export class PartitionKeys {
  /** Hash: topicId, term, nextOffset, and the current generation of remembered ids. */
  readonly guard: string
  /** Hash: aggregate id → stream record. */
  readonly streams: string
  /** Hash: `<aggregate id>/<chunk>` → packed offsets of a full chunk. */
  readonly chunks: string
  /** Two generations of remembered event ids, each a hash: id and aggregate id → version u32, offset u48. */
  readonly ids: readonly [string, string]
  /** Sorted set: the starts of terms, by the offset of their first marker. */
  readonly terms: string
  /** The offset before which an operator has accepted the deletion of the log: topicId, offset. */
  readonly acceptedStart: string
  /** The snapshotter's checkpoint. It is lost together with the snapshots, so that they are taken again. */
  readonly snapshotCheckpoint: string
  readonly #tag: string

  constructor(keyPrefix: string, topic: string, partition: number) {
    this.#tag = `{${keyPrefix}:${topic}:${partition}}`
    this.guard = `${this.#tag}guard`
    this.streams = `${this.#tag}streams`
    this.chunks = `${this.#tag}chunks`
    this.ids = [`${this.#tag}ids:0`, `${this.#tag}ids:1`]
    this.terms = `${this.#tag}terms`
    this.acceptedStart = `${this.#tag}accepted-start`
    this.snapshotCheckpoint = `${this.#tag}snapshotter`
  }

  /** The keys that are kept until the partition is dropped. */
  get kept(): readonly string[] {
    return [this.guard, this.streams, this.chunks, ...this.ids]
  }

  tail(aggregateId: string): string {
    return `${this.#tag}t:${aggregateId}`
  }

  snapshot(aggregateId: string): string {
    return `${this.#tag}s:${aggregateId}`
  }

  /** A stream, or a part of one, that was recently read from the log. */
  lately(aggregateId: string): string {
    return `${this.#tag}r:${aggregateId}`
  }

  evictable(aggregateId: string): readonly string[] {
    return [this.tail(aggregateId), this.snapshot(aggregateId), this.lately(aggregateId)]
  }
}
