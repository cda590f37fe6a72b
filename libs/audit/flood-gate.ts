import type { AuditEntry } from './audit-entry.ts'
import { TokenBucket } from './token-bucket.ts'

export interface FloodLimits {
  /** Denials of one sender that are recorded one by one, before they are counted instead. */
  readonly burst: number
  /** After this time, one more of them is recorded by itself. */
  readonly refillMs: number
  /** The same, for all senders of a kind together. */
  readonly burstOfAll: number
  readonly refillOfAllMs: number
  /** Senders that are counted separately. */
  readonly sendersMax: number
  /** How long denials are counted before one entry with their number is written. */
  readonly countedMs: number
}

export const floodLimits: FloodLimits = {
  burst: 10,
  refillMs: 6_000,
  burstOfAll: 500,
  refillOfAllMs: 500,
  sendersMax: 100,
  countedMs: 60_000,
}

/** Denials that are counted, not recorded one by one. */
interface Counted {
  /** What all of them have in common. */
  entry: AuditEntry
  count: number
  readonly sinceMs: number
}

interface Sender {
  readonly bucket: TokenBucket
  counted?: Counted
}

/**
 * Keeps a flood of denials out of the trail: the first ones of a sender are recorded one by one, further ones are counted, and one entry
 * with their number follows. Known principals and unknown senders are bounded separately, so that strangers cannot hide what a key does.
 */
export class FloodGate {
  readonly #known: SenderGroup
  readonly #unknown: SenderGroup

  constructor(limits: FloodLimits, nowMs: number) {
    this.#known = new SenderGroup(limits, nowMs)
    this.#unknown = new SenderGroup(limits, nowMs)
  }

  /** Whether a denial is recorded by itself; otherwise it is counted. */
  admits(denial: AuditEntry, nowMs: number): boolean {
    return (denial.principal === undefined ? this.#unknown : this.#known).admits(denial, nowMs)
  }

  /** Entries with the numbers of denials that have been counted for long enough. */
  due(nowMs: number): readonly AuditEntry[] {
    return [...this.#known.due(nowMs), ...this.#unknown.due(nowMs)]
  }
}

class SenderGroup {
  readonly #limits: FloodLimits
  readonly #all: TokenBucket
  readonly #senders = new Map<string, Sender>()
  /** Those beyond the bound. */
  readonly #others: Sender

  constructor(limits: FloodLimits, nowMs: number) {
    this.#limits = limits
    this.#all = new TokenBucket(limits.burstOfAll, limits.refillOfAllMs, nowMs)
    this.#others = { bucket: new TokenBucket(0, limits.refillMs, nowMs) }
  }

  admits(denial: AuditEntry, nowMs: number): boolean {
    const sender = this.#senderOf(denial, nowMs)
    if (sender.bucket.take(nowMs) && this.#all.take(nowMs)) return true
    const { counted } = sender
    if (counted === undefined) sender.counted = { entry: denial, count: 1, sinceMs: denial.timeMs ?? nowMs }
    else {
      counted.entry = common(counted.entry, denial)
      counted.count++
    }
    return false
  }

  due(nowMs: number): AuditEntry[] {
    const due = [...this.#senders.values(), this.#others].flatMap((sender) => {
      const { counted } = sender
      if (counted === undefined || counted.sinceMs + this.#limits.countedMs > nowMs) return []
      delete sender.counted
      return [{ ...counted.entry, count: counted.count, sinceMs: counted.sinceMs }]
    })
    for (const [key, { bucket, counted }] of this.#senders) {
      if (counted === undefined && bucket.isFull(nowMs)) this.#senders.delete(key)
    }
    return due
  }

  #senderOf(denial: AuditEntry, nowMs: number): Sender {
    const key = senderKey(denial)
    const known = this.#senders.get(key)
    if (known !== undefined) return known
    if (this.#senders.size >= this.#limits.sendersMax) return this.#others
    const sender = { bucket: new TokenBucket(this.#limits.burst, this.#limits.refillMs, nowMs) }
    this.#senders.set(key, sender)
    return sender
  }
}

/** Denials with the same key are counted together. The reason is not in it, because it names the resource, which a sender can vary. */
const senderKey = ({ principal, code, action, remoteAddress }: AuditEntry): string =>
  JSON.stringify(
    principal === undefined ? [code, remoteAddress] : [code, action, principal.kind, principal.name],
  )

const comparedFields = [
  'action',
  'resource',
  'operation',
  'code',
  'reason',
  'requestId',
  'remoteAddress',
] as const

/** The later entry, without fields in which the earlier one differs. */
function common(before: AuditEntry, entry: AuditEntry): AuditEntry {
  const differing: (keyof AuditEntry)[] = comparedFields.filter((field) => before[field] !== entry[field])
  const [one, other] = [before.principal, entry.principal]
  if (one?.name !== other?.name || one?.kind !== other?.kind) differing.push('principal')
  if (differing.length === 0) return entry
  const same = Object.entries(entry).filter(([name]) => !(differing as readonly string[]).includes(name))
  return Object.fromEntries(same) as unknown as AuditEntry
}
