import { type BackupFolder, type ChainIds, type StoredBackup } from './backup-folder.ts'
import { BackupError } from './backup-error.ts'
import type { BackedUpRange } from './manifest.ts'
import { faultOf, readRecords } from './record-files.ts'

/** A problem in a backup. */
export interface BackupFinding {
  readonly backup: string
  /** Names the file. */
  readonly message: string
}

interface ChainCheckOptions {
  /** Whether to read every record; otherwise only sizes and checksums are checked. */
  readonly readsRecords: boolean
  /** Receives the number of checked bytes. */
  readonly advance: (bytes: number) => void
  readonly signal: AbortSignal
}

/** Checks a chain file by file. @returns the problems; empty if the chain is intact. */
export async function checkChain(
  folder: BackupFolder,
  ids: ChainIds,
  options: ChainCheckOptions,
): Promise<readonly BackupFinding[]> {
  const { chain, fault } = await folder.readUpToFault(ids)
  const findings = fault === undefined ? [] : [{ backup: ids[chain.length] ?? '', message: fault.message }]
  findings.push(...gapsIn(chain))
  for (const backup of chain) findings.push(...(await faultsIn(backup, options)))
  return findings
}

/** Gaps and overlaps: backups that do not start where the one before them ended. */
function gapsIn(chain: readonly StoredBackup[]): readonly BackupFinding[] {
  const ends = new Map<string, { readonly topicId: string; readonly until: number }>()
  const findings: BackupFinding[] = []
  for (const { manifest } of chain) {
    for (const { name, topicId, ranges } of manifest.topics) {
      for (const range of ranges) {
        const place = `${name} ${range.partition}`
        const before = ends.get(place)
        const fault = faultOfRange(range, topicId, before)
        if (fault !== undefined) {
          findings.push({ backup: manifest.id, message: `partition ${range.partition} of ${name}: ${fault}` })
        }
        ends.set(place, { topicId, until: range.until })
      }
    }
  }
  return findings
}

function faultOfRange(
  { from, until, events, files }: BackedUpRange,
  topicId: string,
  before: { readonly topicId: string; readonly until: number } | undefined,
): string | undefined {
  if (before !== undefined && before.topicId !== topicId)
    return 'its topic is not the topic of the backup before it'
  if (before !== undefined && before.until !== from) {
    return `it starts at offset ${from}, but the backup before it ended at ${before.until}`
  }
  if (files.reduce((sum, file) => sum + file.events, 0) !== events)
    return 'its files do not contain all of its events'
  let next = from
  for (const { path, firstOffset, lastOffset } of files) {
    if (firstOffset < next || lastOffset < firstOffset || lastOffset >= until)
      return `${path} is out of order`
    next = lastOffset + 1
  }
  return undefined
}

async function faultsIn(
  { manifest, folder }: StoredBackup,
  options: ChainCheckOptions,
): Promise<BackupFinding[]> {
  const findings: BackupFinding[] = []
  const files = manifest.topics.flatMap(({ ranges }) => ranges.flatMap((range) => range.files))
  for (const file of files) {
    options.signal.throwIfAborted()
    const fault =
      (await faultOf(folder, file)) ?? (options.readsRecords ? await faultInside(folder, file) : undefined)
    if (fault !== undefined) findings.push({ backup: manifest.id, message: fault })
    options.advance(file.bytes)
  }
  return findings
}

async function faultInside(
  folder: string,
  file: Parameters<typeof readRecords>[1],
): Promise<string | undefined> {
  try {
    await Array.fromAsync(readRecords(folder, file), (records) => records.length)
    return undefined
  } catch (error) {
    if (error instanceof BackupError) return error.message
    throw error
  }
}

/** The size of all files, for progress. A backup with an unreadable manifest counts as 0 bytes. */
export async function bytesIn(folder: BackupFolder, chains: readonly ChainIds[]): Promise<number> {
  let bytes = 0
  for (const id of chains.flat()) {
    bytes += await folder.read(id).then(
      ({ manifest }) => manifest.bytes,
      () => 0,
    )
  }
  return bytes
}
