import type { RedisConnection } from './connection.ts'
import type { Guard } from './index-entry.ts'
import type { PartitionKeys } from './keys.ts'
import { MessagePackWriter } from './message-pack.ts'
import type { PartitionIndexOptions } from './partition-index-options.ts'
import { termText } from './term-text.ts'

/** The parts shared by the queries of one partition's index. */
export interface IndexParts {
  readonly redis: RedisConnection
  readonly keys: PartitionKeys
  readonly options: PartitionIndexOptions
}

/** Opens a script's argument: the guard, then `more` items that the caller writes. */
export function guardedArgument(guard: Guard, more: number): MessagePackWriter {
  const writer = new MessagePackWriter()
  writer.array(3 + more)
  writer.text(guard.topicId)
  writer.text(termText(guard))
  writer.text(String(guard.nextOffset))
  return writer
}

/** Bulk strings of a reply of Redis. */
export type Buffers = readonly (Buffer | null | undefined)[]
