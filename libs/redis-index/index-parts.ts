import type { RedisConnection } from './connection.ts'
import type { Guard } from './index-entry.ts'
import type { PartitionKeys } from './keys.ts'
import { MessagePackWriter } from './message-pack.ts'
import type { PartitionIndexOptions } from './partition-index-options.ts'
import { termText } from './term-text.ts'

/** What the queries of one partition's index share. */
export interface IndexParts {
  readonly redis: RedisConnection
  readonly keys: PartitionKeys
  readonly options: PartitionIndexOptions
}

/** Opens a script's argument: the guard, then `more` items to be written. */
export function guardedArgument(guard: Guard, more: number): MessagePackWriter {
  const writer = new MessagePackWriter()
  writer.array(3 + more)
  writer.text(guard.topicId)
  writer.text(termText(guard))
  writer.text(String(guard.nextOffset))
  return writer
}

/** Bulk strings as Redis answers them. */
export type Buffers = readonly (Buffer | null | undefined)[]
