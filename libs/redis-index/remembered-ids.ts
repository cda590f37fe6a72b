import { type EventId, eventIdBytes, readEventId, type Version, writeEventId } from '#domain'

import type { EventPlace } from './asks.ts'
import type { IndexEntry } from './index-entry.ts'

/**
 * The ids of a partition's latest events, so that a repeated append is recognised. They are stored in segments: strings that
 * commits append to, one for each 4,096 offsets. An owner reads them all when it takes over, and looks ids up in its memory.
 */
export const segmentOffsets = 4_096

/** An entry of a segment, big endian: the id (16 bytes), version u32, offset u48. */
export const idEntryBytes = eventIdBytes + 10

/** The ids that a commit adds to one segment. */
export interface IdBlock {
  readonly segment: number
  readonly bytes: Buffer
}

export const segmentOf = (offset: number): number => Math.floor(offset / segmentOffsets)

/** The first segment that is kept when the log has been applied up to an offset. */
export const firstSegment = (nextOffset: number, rememberedIdsMax: number): number =>
  Math.max(0, segmentOf(Math.max(0, nextOffset - rememberedIdsMax)))

/** @param entries in the order of their offsets */
export function idBlocks(entries: readonly IndexEntry[]): IdBlock[] {
  const blocks: IdBlock[] = []
  for (let from = 0; from < entries.length;) {
    const segment = segmentOf(entries[from]?.offset ?? 0)
    const cut = entries.findIndex(({ offset }, index) => index > from && segmentOf(offset) !== segment)
    const end = cut < 0 ? entries.length : cut
    blocks.push({ segment, bytes: idBlock(entries, from, end) })
    from = end
  }
  return blocks
}

function idBlock(entries: readonly IndexEntry[], from: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe((end - from) * idEntryBytes)
  for (let index = from, at = 0; index < end; index++, at += idEntryBytes) {
    const entry = entries[index]
    if (entry === undefined) break
    writeEventId(bytes, at, entry.eventId)
    bytes.writeUInt32BE(entry.version, at + eventIdBytes)
    bytes.writeUIntBE(entry.offset, at + eventIdBytes + 4, 6)
  }
  return bytes
}

/** Ids to search for in segments. */
export class WantedIds {
  readonly #ids: ReadonlySet<EventId>
  /** Whether any of the ids ends in these two bytes. Many ids with the same end (UUIDs of version 1) make a search slower. */
  readonly #ends = new Uint8Array(1 << 16)

  constructor(ids: Iterable<EventId>) {
    this.#ids = new Set(ids)
    for (const id of this.#ids) this.#ends[Number.parseInt(id.slice(-4), 16)] = 1
  }

  mayEndIn(twoBytes: number): boolean {
    return this.#ends[twoBytes] === 1
  }

  has(id: EventId): boolean {
    return this.#ids.has(id)
  }
}

/** Reads the entries of a segment. A partition has hundreds of thousands, so it creates no object for each. */
export class StoredIds {
  readonly #bytes: Buffer
  readonly #entries: DataView

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#entries = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get byteLength(): number {
    return this.#bytes.length
  }

  get count(): number {
    return Math.floor(this.#bytes.length / idEntryBytes)
  }

  /**
   * @param add called for each entry from `from` up to before `to`, in the order of their commits: `id` has its 16 bytes at `idAt`.
   */
  forEach(
    add: (id: DataView, idAt: number, version: Version, offset: number) => void,
    from = 0,
    to = this.count,
  ): void {
    const entries = this.#entries
    for (let index = from, at = from * idEntryBytes; index < to; index++, at += idEntryBytes) {
      add(entries, at, this.#versionAt(at), this.#offsetAt(at))
    }
  }

  /** Calls back for each entry from `from` on whose id is wanted, in the order of their commits. */
  find(wanted: WantedIds, from: number, found: (id: EventId, place: EventPlace) => void): void {
    const entries = this.#entries
    const end = this.count * idEntryBytes
    for (let at = from * idEntryBytes; at < end; at += idEntryBytes) {
      if (!wanted.mayEndIn(entries.getUint16(at + eventIdBytes - 2))) continue
      const id = readEventId(this.#bytes, at)
      if (wanted.has(id)) found(id, { version: this.#versionAt(at), offset: this.#offsetAt(at) })
    }
  }

  #versionAt(at: number): Version {
    return this.#entries.getUint32(at + eventIdBytes) as Version
  }

  #offsetAt(at: number): number {
    const high = this.#entries.getUint16(at + eventIdBytes + 4)
    return high * 2 ** 32 + this.#entries.getUint32(at + eventIdBytes + 6)
  }
}
