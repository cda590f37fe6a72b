export { type PlainBatch, type PlainRecord, type Producer } from './plain-batch.ts'
export {
  deleteRecords,
  isIdKnown,
  leadersBy,
  leadersOf,
  type PartitionPlace,
  type PlainLog,
  readPartition,
  readTail,
} from './plain-kafka.ts'
export { connected } from './plain-connection.ts'
