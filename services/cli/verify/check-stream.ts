import { isDeepStrictEqual } from 'node:util'

import { type Aggregate, fold, type RecordedEvent } from '#domain'
import type { StoredEvent } from '#event-log/records'
import type { EventCodec } from '#schemas'

import { eventDigest } from './event-digest.ts'
import type { Problem } from './check-record.ts'
import type { VerifyPart } from './finding.ts'
import type { StreamClaim } from './index-claims.ts'
import { type SnapshotClaim, storeOf } from './snapshot-claims.ts'

export interface StreamProblem extends Problem {
  readonly part: VerifyPart
}

export interface StreamClaims {
  /** Undefined where the index has no such stream; null where the index is not looked at. */
  readonly index: StreamClaim | undefined | null
  /** The index was up to this offset when it was looked at. */
  readonly indexedUntil: number
  /** Where the log begins. Behind 0 its head was deleted: a stream may then begin with any version, or be gone. */
  readonly logStart: number
  readonly snapshots: readonly SnapshotClaim[]
  readonly folding?: Folding
}

export interface Folding {
  readonly aggregate: Aggregate
  readonly codec: Pick<EventCodec, 'encode' | 'decode'>
}

/** Follows one stream through its partition, and compares what others say of it with what is there. */
export class StreamCheck {
  readonly #claims: StreamClaims
  readonly #lastSnapshot: number
  #version = 0
  #state: unknown
  /** Why its state cannot be told any more. */
  #isBroken = false
  #isMissingTold = false
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

  /** @param decoded undefined where nobody can decode it, or nobody has to. */
  next(event: StoredEvent, decoded: RecordedEvent | undefined): StreamProblem[] {
    const problems = [...this.#checkVersion(event), ...this.#checkIndex(event)]
    this.#version = event.version
    return [...problems, ...this.#checkFold(event, decoded)]
  }

  /** After the last event. */
  end(): StreamProblem[] {
    return [...this.#indexBeyond(), ...this.#snapshotsBeyond()]
  }

  #checkVersion({ version }: StoredEvent): StreamProblem[] {
    if (version === this.#version + 1) return []
    this.#isBroken = true
    if (this.#claims.logStart > 0 && this.#version === 0) return []
    const before =
      this.#version === 0 ? 'the stream begins' : `after version ${this.#version} stands ${version}`
    const message =
      this.#version === 0
        ? `${before} with version ${version}: expected 1`
        : `${before}: expected ${this.#version + 1}`
    const code = version > this.#version ? 'version-gap' : 'version-repeated'
    return [{ part: 'log', code, message }]
  }

  #checkIndex(event: StoredEvent): StreamProblem[] {
    const { index, indexedUntil } = this.#claims
    if (index === null || event.offset >= indexedUntil) return []
    if (index === undefined) return this.#missingInIndex()
    const problems: StreamProblem[] = []
    const { version, offset } = event
    const claimed = index.offsets[version - 1]
    if (claimed !== offset) {
      const said = claimed === undefined ? 'does not have it' : `says offset ${claimed}`
      problems.push(
        inIndex('index-offset', `the log has version ${version} at offset ${offset}, the index ${said}`),
      )
    }
    const digest = index.recent.get(version)
    if (digest !== undefined && digest !== eventDigest(event)) {
      problems.push(
        inIndex('index-event', `the event that Redis keeps of version ${version} is not the one in the log`),
      )
    }
    return [...problems, ...timeProblems(index, event)]
  }

  #missingInIndex(): StreamProblem[] {
    if (this.#isMissingTold) return []
    this.#isMissingTold = true
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
    const message = `the snapshot in ${storeOf(source)} is not the state after the first ${version} events`
    return [{ part: 'snapshots', code: 'snapshot-differs', message }]
  }

  #indexBeyond(): StreamProblem[] {
    const { index, indexedUntil, logStart } = this.#claims
    if (index === null || index === undefined) return []
    const beyond = index.offsets
      .slice(this.#version)
      .filter((offset) => offset >= logStart && offset < indexedUntil)
    if (beyond.length === 0) return []
    const last =
      this.#version === 0 ? 'the log has no such stream' : `the log ends it at version ${this.#version}`
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
      message: `the snapshot in ${storeOf(source)} is of version ${version}, the log has ${this.#version} events of the stream`,
    }))
  }
}

const inIndex = (code: string, message: string): StreamProblem => ({ part: 'index', code, message })

function timeProblems(index: StreamClaim, { version, timestamp }: StoredEvent): StreamProblem[] {
  const ms = Date.parse(timestamp)
  const wrong = [
    version === 1 && index.firstTimestampMs !== ms && 'first',
    version === index.version && index.lastTimestampMs !== ms && 'last',
  ].filter((which) => which !== false)
  return wrong.map((which) =>
    inIndex('index-time', `the time of its ${which} event is another one in the index`),
  )
}

/** A state as it comes back from where snapshots are kept. */
const throughSchema = (state: unknown, { aggregate, codec }: Folding): unknown =>
  codec.decode(codec.encode(aggregate.type, aggregate.snapshot.schema ?? '', state, 'snapshot')).data
