import type { Projection } from '#domain'
import type { GenerationState, ViewStore } from '#projections'

const viewsMax = 1_000
/** An instance whose clock is fast must not drop what others still show. */
const expiryGraceMs = 60_000

/** Takes one step in discarding each generation that is retired. @returns whether there is more to do. */
export async function discardRetired(
  store: ViewStore,
  projection: Projection,
  generations: readonly GenerationState[],
): Promise<boolean> {
  let left = false
  for (const { id, status } of generations) {
    if (status !== 'retired') continue
    const isGone = await store.discard({ projection, generation: id }, viewsMax)
    left ||= !isGone
  }
  return left
}

/** Drops a bounded number of expired views of each generation. @returns how many. */
export async function expireViews(
  store: ViewStore,
  projection: Projection,
  generations: readonly GenerationState[],
): Promise<number> {
  if (projection.ttlMs === undefined) return 0
  let expired = 0
  for (const { id, status } of generations) {
    if (status === 'retired') continue
    expired += await store.expire({ projection, generation: id }, Date.now() - expiryGraceMs, viewsMax)
  }
  return expired
}
