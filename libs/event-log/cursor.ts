import { InvalidInputError, quote } from '#domain'

/** The next offset to read in each partition, by partition number. */
export type Offsets = readonly number[]

/** A cursor as text: `12,0,7` are the next offsets of partitions 0, 1 and 2. */
export const formatCursor = (offsets: Offsets): string => offsets.join(',')

/** @throws InvalidInputError unless the text holds one offset for each of `partitions` partitions. */
export function parseCursor(text: string, partitions: number): Offsets {
  const offsets = text.split(',').map((part) => (/^\d{1,15}$/.test(part) ? Number(part) : -1))
  if (offsets.length === partitions && !offsets.includes(-1)) return offsets
  throw new InvalidInputError(
    'cursor',
    `cursor ${quote(text)} is malformed: expected ${partitions} offsets, as in an earlier response`,
  )
}
