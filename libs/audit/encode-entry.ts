import { newEventId } from '#domain'
import type { LogRecord } from '#kafka'

import type { AuditDetails, AuditEntry, AuditPrincipal, AuditSource } from './audit-entry.ts'
import { safeText } from './safe-text.ts'

/** The largest length of each text, in UTF-16 code units. */
const lengthMax = {
  name: 200,
  kind: 20,
  credentialId: 100,
  action: 50,
  resource: 300,
  operation: 600,
  code: 50,
  reason: 500,
  requestId: 200,
  remoteAddress: 100,
  service: 50,
  instance: 200,
  detailName: 50,
  detail: 200,
} as const
const detailsMax = 20

/** What no entry exceeds as a record, with keys and headers. */
export const entryBytesMax = 32 * 1_024

type TextField = Exclude<keyof typeof lengthMax, 'detailName' | 'detail'>

/** `{ [field]: text }`, or nothing if there is no text. */
const text = (field: TextField, value: string | undefined): Readonly<Record<string, string>> =>
  value === undefined || value === '' ? {} : { [field]: safeText(value, lengthMax[field]) }

const principalOf = ({ name, kind, credentialId }: AuditPrincipal) => ({
  ...text('name', name),
  ...text('kind', kind),
  ...text('credentialId', credentialId),
})

const detailsOf = (details: AuditDetails): object =>
  Object.fromEntries(
    Object.entries(details)
      .slice(0, detailsMax)
      .map(([name, value]) => [
        safeText(name, lengthMax.detailName),
        typeof value === 'string' ? safeText(value, lengthMax.detail) : value,
      ]),
  )

const isoTime = (ms: number): string => new Date(ms).toISOString()

/** The data of the event: plain JSON with bounded, cleaned texts. */
function dataOf(entry: AuditEntry, { service, instance }: AuditSource): object {
  const { outcome, principal, details, count, sinceMs } = entry
  return {
    outcome,
    ...(principal && { principal: principalOf(principal) }),
    ...text('action', entry.action),
    ...text('resource', entry.resource),
    ...text('operation', entry.operation),
    ...text('code', entry.code),
    ...text('reason', entry.reason),
    ...text('requestId', entry.requestId),
    ...text('remoteAddress', entry.remoteAddress),
    ...(details && { details: detailsOf(details) }),
    ...(count !== undefined && { count }),
    ...(sinceMs !== undefined && { since: isoTime(sinceMs) }),
    ...text('service', service),
    ...text('instance', instance),
  }
}

const sourceOf = ({ service, instance }: AuditSource): string =>
  `urn:annals:${encodeURIComponent(safeText(service, lengthMax.service))}:${encodeURIComponent(safeText(instance, lengthMax.instance))}`

/**
 * The record of an entry: CloudEvents 1.0 in Kafka's binary content mode, as in the event topics, with data in JSON.
 * Its key is the name of the principal.
 */
export function encodeEntry(entry: AuditEntry, source: AuditSource): LogRecord {
  const timeMs = entry.timeMs ?? Date.now()
  const subject = text('resource', entry.resource)['resource']
  const headers: [string, string][] = [
    ['ce_specversion', '1.0'],
    ['ce_id', newEventId()],
    ['ce_type', entry.type],
    ['ce_source', sourceOf(source)],
    ['ce_time', isoTime(timeMs)],
    ['content-type', 'application/json'],
  ]
  if (subject !== undefined) headers.push(['ce_subject', subject])
  return {
    key: Buffer.from(safeText(entry.principal?.name ?? '', lengthMax.name)),
    value: Buffer.from(JSON.stringify(dataOf(entry, source))),
    headers,
    timestampMs: timeMs,
  }
}
