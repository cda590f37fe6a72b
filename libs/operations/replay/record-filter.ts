import { metadataTable, type StreamId } from '#domain'
import type { StoredRecord } from '#kafka'

import { streamPattern } from './stream-pattern.ts'

/** Selects events. An event must match all given fields. */
export interface ReplayFilter {
  readonly streamId?: StreamId
  /** Inclusive, like `untilVersion`. */
  readonly fromVersion?: number
  readonly untilVersion?: number
  /** Milliseconds since 1970; `untilMs` is exclusive. */
  readonly fromMs?: number
  readonly untilMs?: number
  /** The event must have one of these types. */
  readonly types?: readonly string[]
  /** See {@link streamPattern}. */
  readonly streamPattern?: string
  readonly correlationId?: string
}

type Check = (record: StoredRecord) => boolean

/** Filters records before they are decoded, so that other records cost almost nothing. A record that is not an event matches no filter on headers. */
export function recordFilter(filter: ReplayFilter): Check {
  const checks = checksOf(filter)
  return (record) => checks.every((check) => check(record))
}

/** Whether no later event of the partition can match. */
export const isLastOf =
  ({ untilVersion }: ReplayFilter): Check =>
  (record) =>
    untilVersion !== undefined && versionOf(record) >= untilVersion

function checksOf(filter: ReplayFilter): Check[] {
  const { streamId, fromVersion, untilVersion, fromMs, untilMs, types, correlationId } = filter
  const checks: Check[] = []
  if (fromMs !== undefined) checks.push(({ timestampMs }) => timestampMs >= fromMs)
  if (untilMs !== undefined) checks.push(({ timestampMs }) => timestampMs < untilMs)
  if (streamId !== undefined) checks.push(hasKey(streamId))
  if (filter.streamPattern !== undefined) checks.push(hasKeyLike(filter.streamPattern))
  if (types !== undefined) checks.push(hasHeader('ce_type', types))
  if (correlationId !== undefined) checks.push(hasHeader(metadataTable.correlationId.header, [correlationId]))
  if (fromVersion !== undefined) checks.push((record) => versionOf(record) >= fromVersion)
  if (untilVersion !== undefined) checks.push((record) => versionOf(record) <= untilVersion)
  return checks
}

function hasKey(streamId: string): Check {
  const wanted = Buffer.from(streamId)
  return ({ key }) => key.equals(wanted)
}

function hasKeyLike(glob: string): Check {
  const fits = streamPattern(glob)
  return ({ key }) => fits(key.toString())
}

function hasHeader(name: string, values: readonly string[]): Check {
  const wanted = values.map((value) => Buffer.from(value))
  return (record) => {
    const found = headerOf(record, name)
    return found !== undefined && wanted.some((value) => value.equals(found))
  }
}

const versionOf = (record: StoredRecord): number =>
  Number(headerOf(record, 'ce_streamversion')?.toString() ?? NaN)

/** The last header with this name, which is the one that readers of events use. */
const headerOf = ({ headers }: StoredRecord, name: string): Buffer | undefined =>
  headers.findLast(([other]) => other === name)?.[1]
