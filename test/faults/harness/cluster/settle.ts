import { AnnalsClient } from '#client'

import { until } from '../../../../scripts/stack/index.ts'
import type { System } from './system.ts'
import { areReplicated } from './topics.ts'

/**
 * Leases expire, processes start, partitions move, and everything catches up. Generous, because a busy machine is
 * slow.
 */
const servesMsMax = 180_000
const caughtUpMsMax = 120_000

/** Waits until all services serve. @throws StackError naming the service that does not. */
export async function waitForServices(system: System): Promise<void> {
  await Promise.all(
    system.services.map(({ post }) => until(`${post.name} serves`, servesMsMax, () => post.isReady())),
  )
}

/** Waits until everything is quiet: replicas are in sync, and projections have applied the whole log. */
export async function waitUntilCaughtUp(system: System): Promise<void> {
  await until('all replicas are in sync', caughtUpMsMax, () => areReplicated(system))
  const client = new AnnalsClient({
    url: system.projectors[0]?.post.url ?? '',
    direct: false,
    retries: { triesMax: 1 },
  })
  try {
    for (const name of Object.values(system.domain.projections))
      await until(`projection ${name} has caught up`, caughtUpMsMax, () => hasCaughtUp(client, name))
  } finally {
    await client.close()
  }
}

/**
 * One generation, the serving one, and nothing left to apply in any partition. @throws Error with what the projection
 * reports, otherwise
 */
async function hasCaughtUp(client: AnnalsClient, name: string): Promise<true> {
  const found = await client.projection(name).describe()
  const { generations, serving } = found
  const [only, ...others] = generations
  const isCaughtUp =
    only !== undefined &&
    only.id === serving &&
    others.length === 0 &&
    only.partitions.every(({ lag, stopped }) => lag === 0 && stopped === undefined)
  if (isCaughtUp) return true
  throw new Error(`it reports ${JSON.stringify(found)}`)
}
