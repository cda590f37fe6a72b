export { type PlainBatch, type PlainRecord } from './plain-batch.ts'
export { deleteRecords, isIdKnown, leadersBy, leadersOf, readPartition, readTail } from './plain-kafka.ts'
export { connected } from './plain-connection.ts'
