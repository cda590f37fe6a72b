import type { Remains } from '../../history.ts'
import { PlainAvro } from './plain-avro.ts'
import { readIndex } from './read-index.ts'
import { readRecords } from './read-records.ts'
import { readViews } from './read-views.ts'
import type { Where } from './where.ts'

export { type Where } from './where.ts'

/**
 * The state that remains when the clients of a seed have ended, its faults are undone and everything has caught up. An
 * owner notices the loss of index state only when it is queried, so each partition must have been read through its
 * owner since the last fault.
 * @throws Error when something cannot be read: the seed proves nothing then
 */
export async function readRemains(where: Where): Promise<Remains> {
  const avro = new PlainAvro(where.registryUrl)
  const { log, markers, starts, snapshots } = await readRecords(where, avro)
  const redis = await readIndex(where, log, avro)
  return {
    log,
    markers,
    starts,
    index: redis.index,
    snapshots: [...snapshots, ...redis.snapshots],
    views: await readViews(where),
    projections: where.projections,
  }
}
