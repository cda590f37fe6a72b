import { type BackupFolder, type ChainIds, type StoredBackup } from './backup-folder.ts'
import { checkChain } from './check-backup.ts'
import { whileLocked } from './folder-lock.ts'
import { topicsOfChain } from './plan-backup.ts'
import { startMsOf } from './manifest.ts'

/** Which chains to keep. A chain is kept if either rule keeps it; without rules all are kept. */
export interface Retention {
  /** The number of newest chains to keep. */
  readonly chains?: number
  /** Keeps chains whose last backup is not older than this. */
  readonly days?: number
}

export interface RetentionOutcome {
  /** Ids of the full backups whose chains were removed. */
  readonly removed: readonly string[]
  /** Why other old chains were kept, in sentences. */
  readonly kept: readonly string[]
}

const dayMs = 86_400_000

/**
 * Removes the chains that no rule keeps. The newest chain always stays. An older one is removed only if the newest one is intact and contains
 * all of its events.
 */
export function removeOld(
  folder: BackupFolder,
  { chains: chainsMax, days }: Retention,
  nowMs = Date.now(),
): Promise<RetentionOutcome> {
  if (chainsMax === undefined && days === undefined) return Promise.resolve({ removed: [], kept: [] })
  return whileLocked(folder.path, async () => {
    const chains = await folder.chains()
    const newest = chains.at(-1)
    const old = chains.slice(0, -Math.max(1, chainsMax ?? 0)).filter((ids) => isOld(ids, days, nowMs))
    if (newest === undefined || old.length === 0) return { removed: [], kept: [] }
    const findings = await checkChain(folder, newest, {
      ...{ readsRecords: false, advance: () => undefined },
      signal: new AbortController().signal,
    })
    const [damage] = findings
    if (damage !== undefined) {
      return {
        removed: [],
        kept: [`older chains are kept because the newest one is damaged: ${damage.message}`],
      }
    }
    return removeCovered(folder, old, await folder.readChain(newest))
  })
}

const isOld = (ids: ChainIds, days: number | undefined, nowMs: number): boolean =>
  startMsOf(ids.at(-1) ?? '') < nowMs - (days ?? 0) * dayMs

async function removeCovered(
  folder: BackupFolder,
  old: readonly ChainIds[],
  newest: readonly StoredBackup[],
): Promise<RetentionOutcome> {
  const removed: string[] = []
  const kept: string[] = []
  for (const ids of old) {
    const { chain, fault } = await folder.readUpToFault(ids)
    const why = fault === undefined ? notIn(newest, chain) : `it is damaged (${fault.message})`
    if (why !== undefined) {
      kept.push(
        `the chain of ${ids[0] ?? ''} is kept: ${why}. Remove its folders by hand if you do not need them`,
      )
      continue
    }
    // From the last one backwards, so that a crash leaves a valid chain.
    for (const id of ids.toReversed()) await folder.remove(id)
    removed.push(ids[0] ?? '')
  }
  return { removed, kept }
}

/** Why an older chain is needed: it contains something that the newest one does not. Undefined if it is not needed. */
function notIn(newest: readonly StoredBackup[], chain: readonly StoredBackup[]): string | undefined {
  const now = topicsOfChain(newest)
  for (const { name, topicId } of topicsOfChain(chain).values()) {
    const topic = now.get(name)
    if (topic === undefined) return `the newest chain does not contain ${name}`
    if (topic.topicId !== topicId) return `${name} was recreated after it`
    for (let partition = 0; partition < topic.partitions; partition++) {
      const [there, here] = [spanOf(newest, name, partition), spanOf(chain, name, partition)]
      if (there.from > here.from || there.until < here.until)
        return `the newest chain does not cover all offsets of ${name}`
    }
  }
  return undefined
}

/** The offsets of a partition that a chain covers. */
function spanOf(chain: readonly StoredBackup[], topic: string, partition: number) {
  const ranges = chain
    .flatMap(({ manifest }) => manifest.topics)
    .filter(({ name }) => name === topic)
    .flatMap(({ ranges: own }) => own)
    .filter((range) => range.partition === partition)
  return { from: ranges[0]?.from ?? Infinity, until: ranges.at(-1)?.until ?? 0 }
}
