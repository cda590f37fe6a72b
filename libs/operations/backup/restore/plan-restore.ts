import { type BackupFolder, type ChainIds, type StoredBackup } from '../backup-folder.ts'
import { BackupError } from '../backup-error.ts'
import { bytesIn, checkChain } from '../check-backup.ts'
import type { BackedUpFile, BackedUpSchema, BackedUpTopic, Manifest } from '../manifest.ts'

/** The backup to restore; default: the last one. */
export interface RestorePoint {
  readonly at?: string
  /** The last backup that finished by this time. */
  readonly untilMs?: number
}

/** A file of records and the folder of its backup. */
interface RestoreFile {
  readonly folder: string
  readonly file: BackedUpFile
}

export type RestoreTopic = Omit<BackedUpTopic, 'ranges' | 'topicId'> & {
  readonly events: number
  /** The files of each partition, by partition number, in order. */
  readonly files: readonly (readonly RestoreFile[])[]
}

/** What to restore: a chain up to one of its backups. */
export interface RestorePlan {
  readonly id: string
  /** Checksum of its manifest, so that only a restore of the same backup is resumed. */
  readonly sha256: string
  readonly manifest: Manifest
  readonly topics: readonly RestoreTopic[]
  readonly schemas: readonly BackedUpSchema[]
  readonly events: number
}

/** The progress of the check, in bytes. */
interface CheckProgress {
  readonly begin: (bytes: number) => void
  readonly advance: (bytes: number) => void
}

/**
 * Reads a chain, and checks that it is complete and matches its checksums.
 * @throws BackupError `no-backup`, `damaged`; an AbortError when the signal aborts.
 */
export async function planRestore(
  folder: BackupFolder,
  point: RestorePoint,
  progress: CheckProgress,
  signal: AbortSignal,
): Promise<RestorePlan> {
  const ids = await chainUpTo(folder, point)
  progress.begin(await bytesIn(folder, [ids]))
  const findings = await checkChain(folder, ids, { readsRecords: false, advance: progress.advance, signal })
  const [first] = findings
  if (first !== undefined) {
    const before = ids[ids.indexOf(first.backup) - 1]
    const others =
      findings.length > 1 ? ` (and ${findings.length - 1} more findings: \`annals backup check\`)` : ''
    const advice =
      before === undefined
        ? 'Restore an earlier chain with --at'
        : `--at ${before} restores the backup before it`
    throw new BackupError('damaged', `${first.message}${others}. Nothing was restored. ${advice}`)
  }
  return planOf(await folder.readChain(ids))
}

/** @throws BackupError `no-backup` */
async function chainUpTo(folder: BackupFolder, { at, untilMs }: RestorePoint): Promise<ChainIds> {
  const chains = await folder.chains()
  const id =
    at ?? (untilMs === undefined ? chains.at(-1)?.at(-1) : await lastFinished(folder, chains.flat(), untilMs))
  const chain = chains.find((ids) => id !== undefined && ids.includes(id))
  if (chain !== undefined && id !== undefined) return chain.slice(0, chain.indexOf(id) + 1)
  const what =
    at ?? (untilMs === undefined ? 'backup' : `backup that finished by ${new Date(untilMs).toISOString()}`)
  throw new BackupError(
    'no-backup',
    `there is no ${what} in ${folder.path}: \`annals backup list\` lists the backups`,
  )
}

async function lastFinished(
  folder: BackupFolder,
  ids: readonly string[],
  untilMs: number,
): Promise<string | undefined> {
  for (const id of ids.toReversed()) {
    // The end of a damaged backup is unknown; its id contains only the start.
    const finished = await folder.read(id).then(
      ({ manifest }) => Date.parse(manifest.finishedAt),
      () => Infinity,
    )
    if (finished <= untilMs) return id
  }
  return undefined
}

function planOf(chain: readonly StoredBackup[]): RestorePlan {
  const last = chain.at(-1) as StoredBackup
  const topics = new Map(chain.flatMap(({ manifest }) => manifest.topics).map((topic) => [topic.name, topic]))
  const planned = [...topics.values()].map(({ name, role, partitions, replication, settings }) => {
    const files = Array.from({ length: partitions }, (_, partition) => filesOf(chain, name, partition))
    const events = files.flat().reduce((sum, { file }) => sum + file.events, 0)
    return { name, role, partitions, replication, settings, files, events }
  })
  return {
    ...{ id: last.manifest.id, sha256: last.sha256, manifest: last.manifest, topics: planned },
    schemas: last.manifest.schemas,
    events: planned.reduce((sum, { events }) => sum + events, 0),
  }
}

const filesOf = (chain: readonly StoredBackup[], topic: string, partition: number): RestoreFile[] =>
  chain.flatMap(({ manifest, folder }) =>
    manifest.topics
      .filter(({ name }) => name === topic)
      .flatMap(({ ranges }) => ranges)
      .filter((range) => range.partition === partition)
      .flatMap(({ files }) => files.map((file) => ({ folder, file }))),
  )
