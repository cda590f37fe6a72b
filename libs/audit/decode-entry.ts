import type { StoredRecord } from '#kafka'

import { type AuditDetails, auditOutcomes, type AuditPrincipal, type AuditRecord } from './audit-entry.ts'

type Json = Readonly<Record<string, unknown>>

/** An entry of the trail; undefined for a record that is none. Fields of other types than expected are left out. */
export function decodeEntry({
  headers,
  value,
}: Pick<StoredRecord, 'headers' | 'value'>): AuditRecord | undefined {
  const texts = new Map(headers.map(([name, bytes]) => [name, bytes.toString()]))
  const [id, type, time] = ['ce_id', 'ce_type', 'ce_time'].map((name) => texts.get(name))
  if (id === undefined || type === undefined || time === undefined || Number.isNaN(Date.parse(time))) return
  const data = jsonObject(value)
  const outcome = auditOutcomes.find((each) => each === data?.['outcome'])
  if (data === undefined || outcome === undefined) return undefined
  const { principal, details, count } = data
  return {
    ...{ id, type, time, outcome },
    ...(isObject(principal) && principalOf(principal)),
    ...textsOf(data, ['action', 'resource', 'operation', 'code', 'reason', 'requestId', 'remoteAddress']),
    ...(isObject(details) && { details: detailsOf(details) }),
    ...(typeof count === 'number' && { count }),
    ...textsOf(data, ['since']),
    service: textOf(data['service']),
    instance: textOf(data['instance']),
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function jsonObject(value: Buffer | null): Json | undefined {
  try {
    const parsed: unknown = JSON.parse(String(value))
    return isObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const textsOf = <Name extends string>(data: Json, names: readonly Name[]): Partial<Record<Name, string>> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = data[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  ) as Partial<Record<Name, string>>

const principalOf = (data: Json): { readonly principal: AuditPrincipal } => ({
  principal: { name: textOf(data['name']), kind: textOf(data['kind']), ...textsOf(data, ['credentialId']) },
})

const detailsOf = (data: Json): AuditDetails =>
  Object.fromEntries(
    Object.entries(data).filter((field): field is [string, string | number | boolean] =>
      ['string', 'number', 'boolean'].includes(typeof field[1]),
    ),
  )
