import { eventIdBytes } from '#domain'

/** 32-bit words of an id. */
export const idWords = eventIdBytes / 4

/** The entries of an {@link IdWindow} by position. */
export interface IdRing {
  readonly length: number
  /** Four words each. */
  readonly ids: Uint32Array
  readonly versions: Uint32Array
  readonly offsets: Float64Array
  /** How many entries earlier the last one with the same id was added; 0: never. */
  readonly distances: Uint32Array
}

export const newIdRing = (length: number): IdRing => ({
  length,
  ids: new Uint32Array(length * idWords),
  versions: new Uint32Array(length),
  offsets: new Float64Array(length),
  distances: new Uint32Array(length),
})

/** Slots of the table over a ring: a power of two that leaves a third of them free. */
export const slotsFor = (length: number): number => 2 ** Math.ceil(Math.log2(length * 1.5))

const entryBytes = eventIdBytes + 4 + 8 + 4
const slotBytes = 4

/** Bytes of a ring and its table. */
export const windowBytes = (length: number): number => length * entryBytes + slotsFor(length) * slotBytes
