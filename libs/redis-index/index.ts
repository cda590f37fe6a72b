export { catchUp, type CatchUp, type CatchUpProgress, type LogPiece } from './catch-up.ts'
export { connectRedis, type RedisConnection, type RedisSettings } from './connection.ts'
export { IndexMismatchError, IndexUnavailableError } from './errors.ts'
export { type Guard, type IndexEntry } from './index-entry.ts'
export {
  type Ask,
  type Checked,
  type IndexedStreamInfo,
  PartitionIndex,
  type PartitionIndexOptions,
  type Place,
} from './partition-index.ts'
export { type StoredSnapshot } from './snapshot.ts'
export { type LoadedFromIndex } from './stream-parts.ts'
