import type { Remains } from '../../history.ts'
import { PlainAvro } from './plain-avro.ts'
import { readIndex } from './read-index.ts'
import { readRecords } from './read-records.ts'
import { readViews } from './read-views.ts'
import type { Where } from './where.ts'

export { type Where } from './where.ts'

/**
 * What is left of a seed when its clients have ended, its faults are undone and everything has caught up. An index that lost its state
 * learns of it when it is asked, so each partition must have been read through its owner since the last fault.
 * @throws Error when something cannot be read: then nothing can be said about the seed.
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
