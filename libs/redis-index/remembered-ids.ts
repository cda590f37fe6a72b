import { eventIdBytes, type Version, writeEventId } from '#domain'

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

/** Reads the entries of a segment. A partition has hundreds of thousands, so it creates no object for each. */
export class StoredIds {
  readonly #entries: DataView

  constructor({ buffer, byteOffset, byteLength }: Buffer) {
    this.#entries = new DataView(buffer, byteOffset, byteLength)
  }

  get count(): number {
    return Math.floor(this.#entries.byteLength / idEntryBytes)
  }

  /** @param add called for each entry, in the order of their commits: `id` has its 16 bytes at `idAt`. */
  forEach(add: (id: DataView, idAt: number, version: Version, offset: number) => void): void {
    const entries = this.#entries
    for (let index = 0, at = 0; index < this.count; index++, at += idEntryBytes) {
      const version = entries.getUint32(at + eventIdBytes) as Version
      const offset =
        entries.getUint16(at + eventIdBytes + 4) * 2 ** 32 + entries.getUint32(at + eventIdBytes + 6)
      add(entries, at, version, offset)
    }
  }
}
