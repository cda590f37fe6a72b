import type { StoredRecord } from '#kafka'

/** A record and the index of its source in the list. */
export interface MergedRecord {
  readonly source: number
  readonly record: StoredRecord
}

interface Cursor {
  readonly source: number
  readonly chunks: AsyncIterator<readonly StoredRecord[]>
  records: readonly StoredRecord[]
  at: number
}

const chunkRecordsMax = 1_000

/**
 * Merges partitions into one sequence. Of the next records of all sources it takes the oldest; of equally old ones, that of the source
 * with the lower index. Each source keeps its order, even if its times go back. The same sources give the same sequence.
 */
export async function* mergeByTime(
  sources: readonly AsyncIterable<readonly StoredRecord[]>[],
): AsyncGenerator<MergedRecord[]> {
  const cursors = sources.map<Cursor>((chunks, source) => ({
    source,
    chunks: chunks[Symbol.asyncIterator](),
    records: [],
    at: 0,
  }))
  try {
    let active = await filled(cursors)
    let merged: MergedRecord[] = []
    while (active.length > 0) {
      const first = earliest(active)
      merged.push({ source: first.source, record: first.records[first.at] as StoredRecord })
      first.at++
      if (first.at === first.records.length) active = await filled(active)
      if (merged.length < chunkRecordsMax && active.length > 0) continue
      yield merged
      merged = []
    }
  } finally {
    for (const { chunks } of cursors) await chunks.return?.()
  }
}

/** The cursors that have another record. */
async function filled(cursors: readonly Cursor[]): Promise<readonly Cursor[]> {
  const withRecords = await Promise.all(
    cursors.map(async (cursor) => {
      while (cursor.at === cursor.records.length) {
        const next = await cursor.chunks.next()
        if (next.done === true) return undefined
        cursor.records = next.value
        cursor.at = 0
      }
      return cursor
    }),
  )
  return withRecords.filter((cursor) => cursor !== undefined)
}

const timeOf = ({ records, at }: Cursor): number => records[at]?.timestampMs ?? Infinity

const earliest = (cursors: readonly Cursor[]): Cursor =>
  cursors.reduce((first, cursor) => (timeOf(cursor) < timeOf(first) ? cursor : first))
