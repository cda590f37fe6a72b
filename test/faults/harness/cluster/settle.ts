import { AnnalsClient } from '#client'

import { until } from '../../../../scripts/stack/index.ts'
import type { System } from './system.ts'
import { areReplicated } from './topics.ts'

/** Leases run out, processes start, partitions move, and everybody catches up: generous, for a busy machine takes its time. */
const servesMsMax = 180_000
const caughtUpMsMax = 120_000

/** Waits until all services serve. @throws StackError naming the service that does not. */
export async function waitForServices(system: System): Promise<void> {
  await Promise.all(
    system.services.map(({ post }) => until(`${post.name} serves`, servesMsMax, () => post.isReady())),
  )
}

/** Waits until nothing moves any more: replicas are in sync, and projections have applied all of the log. */
export async function waitUntilCaughtUp(system: System): Promise<void> {
  await until('all replicas are in sync', caughtUpMsMax, () => areReplicated(system))
  const client = new AnnalsClient({
    url: system.projectors[0]?.post.url ?? '',
    direct: false,
    retries: { triesMax: 1 },
  })
  try {
    for (const name of Object.values(system.domain.projections))
      await until(`projection ${name} has caught up`, caughtUpMsMax, () => hasCaughtUp(client, name)).catch(
        async (error: unknown) => {
          const found = JSON.stringify(await client.projection(name).describe())
          throw new Error(`${String(error)}; it says ${found}`)
        },
      )
  } finally {
    await client.close()
  }
}

/** One generation, the serving one, and nothing left to apply in any partition. */
async function hasCaughtUp(client: AnnalsClient, name: string): Promise<boolean> {
  const { generations, serving } = await client.projection(name).describe()
  const [only, ...others] = generations
  return (
    only !== undefined &&
    only.id === serving &&
    others.length === 0 &&
    only.partitions.every(({ lag, stopped }) => lag === 0 && stopped === undefined)
  )
}
