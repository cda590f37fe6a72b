import type { AccessTable } from './access-table.ts'
import type { SplitService } from './split-installation.ts'

export const writers = ['writer', 'otherWriter'] as const

export interface Page {
  readonly events: readonly {
    readonly streamId: string
    readonly version: number
    readonly metadata: object
  }[]
  readonly cursor: string
}

interface Projections {
  readonly projections: readonly {
    readonly name: string
    readonly generations: readonly { readonly id: string }[]
  }[]
}

interface Snapshots {
  readonly types: readonly { readonly aggregateType: string }[]
}

interface Owners {
  readonly partitions: readonly { readonly topic: string }[]
}

/** A page of the first aggregate type, as a principal gets it. */
export const categoryPage = (
  table: AccessTable,
  name: string,
  query: string,
  to: SplitService = 'writer',
): Promise<Page> => table.read(name, 'writer', `/categories/${table.where.type}/events?${query}`, to)

/** Ids of all generations of all projections. */
export async function generationsOf(table: AccessTable): Promise<string[]> {
  const { projections } = await table.read<Projections>('admin', 'projector', '/projections')
  return projections.flatMap(({ generations }) => generations.map(({ id }) => id)).toSorted()
}

/** What the lists of all services name to a principal: projections, aggregate types with snapshots, topics. */
export async function listsFor(table: AccessTable, name: string): Promise<readonly string[][]> {
  const [{ projections }, { types }, { partitions }] = await Promise.all([
    table.read<Projections>(name, 'projector', '/projections'),
    table.read<Snapshots>(name, 'snapshotter', '/snapshots'),
    table.read<Owners>(name, 'writer', '/owners'),
  ])
  return [
    projections.map((each) => each.name).toSorted(),
    types.map(({ aggregateType }) => aggregateType).toSorted(),
    [...new Set(partitions.map(({ topic }) => topic))].toSorted(),
  ]
}

/** Requests that the writers have forwarded to each other since their start. */
export async function forwardedRequests(table: AccessTable): Promise<number> {
  const row = { service: 'writer', route: 'GET /metrics' } as const
  const target = table.target('installation', 'allowed')
  let sum = 0
  for (const to of writers) {
    const { body } = await table.ask({ who: table.who.admin, row, target, to })
    for (const [, count] of body.matchAll(/^annals_writer_forwarded_total(?:{.*})? (\d+)$/gm)) {
      sum += Number(count)
    }
  }
  return sum
}
