import { position, type Position } from '#domain'

/** A position as a member of a sorted set: members of the same time are sorted by their bytes, so numbers have a fixed width. */
export const encodePosition = ({ topic, partition, offset }: Position): string =>
  [topic, String(partition).padStart(10, '0'), String(offset).padStart(16, '0')].join('\0')

export function decodePosition(member: Buffer): Position {
  const [topic = '', partition, offset] = String(member).split('\0')
  return position(topic, Number(partition), Number(offset))
}
