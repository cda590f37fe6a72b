import { AnnalsClient } from '#client'
import type { ProjectionInfo } from '#projections'

import { waitFor } from '../stack/stack.ts'

/** All views of a projection, by key, read over HTTP. */
export async function viewsOf(url: string, name: string): Promise<Map<string, unknown>> {
  const client = new AnnalsClient({ url, direct: false })
  try {
    const views = new Map<string, unknown>()
    for await (const { key, view } of client.projection(name).listAll({ limit: 1_000 })) views.set(key, view)
    return views
  } finally {
    await client.close()
  }
}

/** Waits until a projection's serving generation has caught up with the log, and no other generation exists. */
export function caughtUp(url: string, name: string, timeoutMs = 60_000): Promise<ProjectionInfo> {
  const client = new AnnalsClient({ url, direct: false, retries: { totalMsMax: 100 } })
  const probe = async () => {
    const info = await client.projection(name).describe()
    const [only, ...others] = info.generations
    const isWhole = others.length === 0 && only?.id === info.serving
    return (
      isWhole &&
      only?.partitions.every(({ lag, stopped }) => lag === 0 && stopped === undefined) === true &&
      info
    )
  }
  return waitFor(`projection ${name} to catch up`, probe, { timeoutMs }).finally(() => client.close())
}
