import type { Kind, Row } from './access-rows.ts'
import { rows } from './access-rows.ts'
import { type AccessTable, type Answer, type Resource, resources } from './access-table.ts'
import type { Target, Who } from './table-principals.ts'

/** One field of the table. */
export interface Case {
  readonly name: string
  readonly who: Who
  readonly row: Row
  readonly resource: Resource
  readonly target: Target
}

/** All cases of a principal. Routes without a resource are asked once. */
export function casesOf(table: AccessTable, name: string): Case[] {
  const who = table.who[name]
  if (who === undefined) throw new Error(`there is no principal ${name}`)
  const named = (row: Row) => row.on !== undefined && row.on !== 'installation'
  return rows.flatMap((row) =>
    (named(row) ? resources : resources.slice(0, 1)).map((resource) => ({
      ...{ name, who, row, resource },
      target: table.target(row.on ?? 'installation', resource),
    })),
  )
}

/** A case in words, for failures. */
export const told = ({ name, row, resource }: Case): string =>
  `${name} ${row.service} ${row.route} ${resource}`

/** What the table says: the statuses that are right. */
export function expected({ who: { may, headers, agent }, row, target, resource }: Case): readonly number[] {
  const hasCredential = agent !== undefined || Object.keys(headers).length > 0
  if (row.isPublic === true && !hasCredential) return row.found
  if (may === undefined) return [401]
  const isLetIn = row.needs === undefined || row.needs.some((action) => may(action, target))
  if (!isLetIn) return [403]
  return exists(target.kind, resource) ? row.found : (row.absent ?? row.found)
}

/** Whether the table says that the principal is rejected, for want of a credential or of a right. */
export const isRejected = (each: Case): boolean => [401, 403].includes(expected(each)[0] ?? 0)

const exists = (kind: Kind, resource: Resource): boolean =>
  resource !== 'missing' && (kind === 'stream' || resource !== 'other')

/** The status of an answer; for a list of one append, that of the append. */
export function statusOf({ status, body }: Answer, { isBatch }: Pick<Row, 'isBatch'>): number {
  if (isBatch !== true || status !== 200) return status
  return (JSON.parse(body) as { results: readonly { status: number }[] }).results[0]?.status ?? 0
}

/** An answer without the names of what was asked for and the time. */
export function withoutNames({ status, headers, body }: Answer, { type, id, name }: Target) {
  const others = { ...headers, date: undefined }
  const text = [`${type}.${id}`, type, name].reduce((left, each) => left.replaceAll(each, '…'), body)
  return { status, headers: others, body: text }
}

/** Does work for all items, so many at a time. */
export async function inBatches<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) {
      results[index] = await work(items[index] as Item)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}
