import { isDeepStrictEqual } from 'node:util'

import { type Aggregate, fold, type RecordedEvent } from '#domain'
import type { StoredEvent } from '#event-log/records'
import type { EventCodec } from '#schemas'

import type { RecordProblem } from './check-record.ts'
import type { VerifyPart } from './finding.ts'
import type { StreamClaim } from './index-claims.ts'
import { type SnapshotClaim, storeOf } from './snapshot-claims.ts'

interface StreamProblem extends RecordProblem {
  readonly part: VerifyPart
}

interface StreamClaims {
  /** Undefined if the index does not have the stream; null if the index is not checked. */
  readonly index: StreamClaim | undefined | null
  /** The next offset of the index when it was read. */
  readonly indexedUntil: number
  /** The first offset of the log. If it is above 0, the head was deleted: a stream may then start with any version, or be lost. */
  readonly logStart: number
  readonly snapshots: readonly SnapshotClaim[]
  readonly folding?: Folding
}

interface Folding {
  readonly aggregate: Aggregate
  readonly codec: Pick<EventCodec, 'encode' | 'decode'>
}

/** Follows one stream through its partition, and compares index and snapshots with its events. */
export class StreamCheck {
  readonly #claims: StreamClaims
  readonly #lastSnapshot: number
  #version = 0
  #state: unknown
  /** Set when the state of the stream can no longer be computed. */
  #isBroken = false
  #isMissingReported = false
  /** Snapshots found equal to the fold. */
  snapshotsEqual = 0

  constructor(claims: StreamClaims) {
    this.#claims = claims
    this.#lastSnapshot = Math.max(0, ...claims.snapshots.map(({ version }) => version))
    this.#state = claims.folding?.aggregate.initialState
  }

  get version(): number {
    return this.#version
  }

  /** @param decoded undefined if the event cannot be decoded, or is not decoded. */
  next(event: StoredEvent, decoded: RecordedEvent | undefined): StreamProblem[] {
    const problems = [...this.#checkVersion(event), ...this.#checkIndex(event)]
    this.#version = event.version
    return [...problems, ...this.#checkFold(event, decoded)]
  }

  /** Checks after the last event. */
  end(): StreamProblem[] {
    return [...this.#indexBeyond(), ...this.#snapshotsBeyond()]
  }

  #checkVersion({ version }: StoredEvent): StreamProblem[] {
    if (version === this.#version + 1) return []
    this.#isBroken = true
    if (this.#claims.logStart > 0 && this.#version === 0) return []
    const found =
      this.#version === 0
        ? `the stream starts with version ${version}`
        : `version ${this.#version} is followed by ${version}`
    const message = `${found}: expected ${this.#version + 1}`
    const code = version > this.#version ? 'version-gap' : 'version-repeated'
    return [{ part: 'log', code, message }]
  }

  #checkIndex(event: StoredEvent): StreamProblem[] {
    const { index, indexedUntil } = this.#claims
    if (index === null || event.offset >= indexedUntil) return []
    if (index === undefined) return this.#missingInIndex()
    return [...offsetProblems(index, event), ...timeProblems(index, event)]
  }

  #missingInIndex(): StreamProblem[] {
    if (this.#isMissingReported) return []
    this.#isMissingReported = true
    return [inIndex('index-missing-stream', 'the index does not have this stream')]
  }

  #checkFold({ version }: StoredEvent, decoded: RecordedEvent | undefined): StreamProblem[] {
    const { folding, snapshots } = this.#claims
    if (folding === undefined || this.#isBroken || version > this.#lastSnapshot) return []
    if (decoded === undefined) {
      this.#isBroken = true
      return []
    }
    try {
      this.#state = fold(folding.aggregate, [decoded], this.#state)
      return snapshots
        .filter((snapshot) => snapshot.version === version)
        .flatMap((it) => this.#compare(it, folding))
    } catch (error) {
      this.#isBroken = true
      const message = `its events cannot be folded at version ${version}: ${(error as Error).message}`
      return [{ part: 'snapshots', code: 'fold-failed', message }]
    }
  }

  #compare({ source, state, version }: SnapshotClaim, folding: Folding): StreamProblem[] {
    if (isDeepStrictEqual(state, throughSchema(this.#state, folding))) {
      this.snapshotsEqual++
      return []
    }
    const message = `the snapshot in ${storeOf(source)} differs from the state after the first ${version} events`
    return [{ part: 'snapshots', code: 'snapshot-differs', message }]
  }

  #indexBeyond(): StreamProblem[] {
    const { index, indexedUntil, logStart } = this.#claims
    if (index === null || index === undefined) return []
    const beyond = index.offsets
      .slice(this.#version)
      .filter((offset) => offset >= logStart && offset < indexedUntil)
    if (beyond.length === 0) return []
    const last = this.#version === 0 ? 'the log does not have it' : `the log up to version ${this.#version}`
    return [
      inIndex('index-beyond-log', `the index has it up to version ${this.#version + beyond.length}, ${last}`),
    ]
  }

  #snapshotsBeyond(): StreamProblem[] {
    if (this.#claims.logStart > 0 && this.#version === 0) return []
    const beyond = this.#claims.snapshots.filter(({ version }) => version > this.#version)
    return beyond.map(({ source, version }) => ({
      part: 'snapshots',
      code: 'snapshot-beyond-log',
      message: `the snapshot in ${storeOf(source)} has version ${version}, the log has ${this.#version} events of the stream`,
    }))
  }
}

const inIndex = (code: string, message: string): StreamProblem => ({ part: 'index', code, message })

function offsetProblems({ offsets }: StreamClaim, { version, offset }: StoredEvent): StreamProblem[] {
  const claimed = offsets[version - 1]
  if (claimed === offset) return []
  const entry = claimed === undefined ? 'does not have it' : `has offset ${claimed}`
  return [inIndex('index-offset', `the log has version ${version} at offset ${offset}, the index ${entry}`)]
}

function timeProblems(index: StreamClaim, { version, timestamp }: StoredEvent): StreamProblem[] {
  const ms = Date.parse(timestamp)
  const wrong = [
    version === 1 && index.firstTimestampMs !== ms && 'first',
    version === index.version && index.lastTimestampMs !== ms && 'last',
  ].filter((which) => which !== false)
  return wrong.map((which) =>
    inIndex('index-time', `the time of its ${which} event in the index differs from the log`),
  )
}

/** The state after encoding and decoding it with the schema of snapshots. */
const throughSchema = (state: unknown, { aggregate, codec }: Folding): unknown =>
  codec.decode(codec.encode(aggregate.type, aggregate.snapshot.schema ?? '', state, 'snapshot')).data
