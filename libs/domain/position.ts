import { InvalidInputError, quote } from './invalid-input.ts'
import { formatPartition } from './log-address.ts'

declare const brand: unique symbol

/**
 * The place of an event in the log. Create it with {@link position} or {@link parsePosition}.
 * Offsets are not contiguous. They fit a number: 2^53 offsets last 285 years at a million events per second.
 */
export interface Position {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly [brand]: 'Position'
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

/** Creates a position. @throws InvalidInputError when the topic is empty, or partition or offset is not a whole number from 0. */
export function position(topic: string, partition: number, offset: number): Position {
  if (topic === '' || !isCount(partition) || !isCount(offset)) {
    throw new InvalidInputError(
      'position',
      `position ${quote([topic, partition, offset])} is malformed: expected a topic, a partition and an offset from 0`,
    )
  }
  return { topic, partition, offset } as Position
}

/** Formats a position as the token that callers pass back: `topic:partition:offset`. */
export const formatPosition = (at: Position): string => `${formatPartition(at)}:${at.offset}`

/** Parses a token of {@link formatPosition}. @throws InvalidInputError when it is malformed. */
export function parsePosition(token: string): Position {
  const match = /^([\w.-]+):(\d+):(\d+)$/.exec(token)
  if (match === null) {
    throw new InvalidInputError(
      'position',
      `position ${quote(token)} is malformed: expected topic:partition:offset, e.g. eventstore.order:3:42`,
    )
  }
  return position(match[1] ?? '', Number(match[2]), Number(match[3]))
}
