import type { Projection } from '#domain'
import type { Generations, GenerationState, Views } from '#projections'

const viewsMax = 1_000
/** Tolerance for clock differences: an instance with a fast clock must not drop views that others still serve. */
const expiryGraceMs = 60_000

/** Takes one step of discarding each retired generation. @returns whether there is more to do. */
export async function discardRetired(
  generations: Pick<Generations, 'discard'>,
  projection: Projection,
  states: readonly GenerationState[],
): Promise<boolean> {
  let left = false
  for (const { id, status } of states) {
    if (status !== 'retired') continue
    const isGone = await generations.discard({ projection, generation: id }, viewsMax)
    left ||= !isGone
  }
  return left
}

/**
 * Drops a bounded number of expired views of each generation that has caught up with its log. If a generation is behind,
 * the next event of a view may be from before its expiry, and must be applied to the existing view.
 * @returns the number of dropped views.
 */
export async function expireViews(
  views: Pick<Views, 'expire'>,
  projection: Projection,
  generations: readonly GenerationState[],
  isWhole: (generation: GenerationState) => Promise<boolean>,
): Promise<number> {
  if (projection.ttlMs === undefined) return 0
  let expired = 0
  for (const generation of generations) {
    if (generation.status === 'retired' || !(await isWhole(generation))) continue
    const set = { projection, generation: generation.id }
    expired += await views.expire(set, Date.now() - expiryGraceMs, viewsMax)
  }
  return expired
}
