import { newEventId, parseVersion, type StreamId } from '#domain'

import { toLogRecord } from '#event-log/records'
import { appended } from '../domain/domain.ts'

const id = newEventId()
const timestamp = new Date().toISOString()
const timestampMs = Date.parse(timestamp)
const version = parseVersion(1)
const value = Buffer.from(appended.data.payload)

/** The record that the writer would create for an event, so that batches have the same sizes. */
export const benchRecord = (stream: string) =>
  toLogRecord({
    id,
    streamId: stream as StreamId,
    type: appended.type,
    version,
    timestamp,
    timestampMs,
    metadata: {},
    value,
  })
