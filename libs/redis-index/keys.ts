/** The names of a partition's keys. They share one hash tag, so that Redis Cluster holds them in one slot. */
export class PartitionKeys {
  /** Hash: topicId, term, nextOffset, and the format of the index. */
  readonly guard: string
  /** Hash: aggregate id → stream record. */
  readonly streams: string
  /** Hash: `<aggregate id>/<chunk>` → packed offsets of a full chunk. */
  readonly chunks: string
  /** Set: the numbers of the stored segments of event ids. */
  readonly segments: string
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
    this.segments = `${this.#tag}segments`
    this.terms = `${this.#tag}terms`
    this.acceptedStart = `${this.#tag}accepted-start`
    this.snapshotCheckpoint = `${this.#tag}snapshotter`
  }

  /** String: a segment of the remembered event ids, see remembered-ids.ts. */
  segment(segment: number): string {
    return `${this.#tag}segment:${segment}`
  }

  /** Hashes of event ids that an older version wrote. */
  get former(): readonly string[] {
    return [`${this.#tag}ids:0`, `${this.#tag}ids:1`]
  }

  snapshot(aggregateId: string): string {
    return `${this.#tag}s:${aggregateId}`
  }
}
