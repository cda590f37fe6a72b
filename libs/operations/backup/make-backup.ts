import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { shownSettings } from '#config'
import type { DomainModule } from '#domain'
import { abortable, inParallel } from '#async'

import { writeFailure } from '../file-failure.ts'
import { type BackupFolder, sha256Of, type StoredBackup, syncFolder } from './backup-folder.ts'
import { whileLocked } from './folder-lock.ts'
import {
  type BackedUpRange,
  backupId,
  checksumsName,
  type Manifest,
  manifestName,
  manifestText,
  startMsOf,
} from './manifest.ts'
import type { OpenLog } from './open-log.ts'
import { type BackupPlan, planBackup, type PlannedRange } from './plan-backup.ts'
import { RecordFiles } from './record-files.ts'
import { schemaIdIn, schemasOf } from './schemas-used.ts'
import { privateFile, privateFolder } from '../private-files.ts'

interface BackupOptions {
  /** Aggregate types; none means all of the domain. */
  readonly types: readonly string[]
  /** Starts a new chain, even if one exists. */
  readonly isFull: boolean
  /** A chain with this many incremental backups is not continued. */
  readonly incrementalsMax?: number
  /** Size of a file before compression; default 64 MiB. */
  readonly fileBytesMax?: number
  /** Called before reading, with the number of offsets to read: events and markers. */
  readonly begin: (offsets: number) => void
  /** Receives the number of events read. */
  readonly advance: (events: number) => void
  readonly signal: AbortSignal
}

export type BackupOutcome =
  | { readonly status: 'made'; readonly manifest: Manifest; readonly warnings: readonly string[] }
  | { readonly status: 'nothing-new'; readonly since: string; readonly warnings: readonly string[] }

/** Partitions that are read and compressed at the same time. */
const parallel = 4

/**
 * Adds a backup to the folder: of what the last chain does not contain, or of everything. It appears complete or not at all.
 * @throws BackupError, LogError, SchemaError, OperationError of the file system; an AbortError when the signal aborts.
 */
export const makeBackup = (
  log: OpenLog,
  domain: DomainModule,
  folder: BackupFolder,
  options: BackupOptions,
): Promise<BackupOutcome> =>
  whileLocked(folder.path, async () => {
    await folder.clean()
    await folder.tighten()
    const chain = await continued(folder, options)
    // Fails early if the registry does not answer: a backup needs it after hours of reading.
    await abortable(options.signal, () => log.registry.usesOf(0))
    const plan = await planBackup(log, domain, options.types, chain)
    return new BackupRun(log, folder, options, chain, plan).run(await laterThan(folder))
  })

/** The chain to continue; empty if a new one starts. */
async function continued(
  folder: BackupFolder,
  { isFull, incrementalsMax = Infinity }: BackupOptions,
): Promise<readonly StoredBackup[]> {
  if (isFull) return []
  const chain = await folder.lastChain()
  return chain.length > incrementalsMax ? [] : chain
}

/** The current time, but later than the last backup even if the clock was set back. */
async function laterThan(folder: BackupFolder): Promise<Date> {
  const last = (await folder.chains()).at(-1)?.at(-1)
  return new Date(Math.max(Date.now(), last === undefined ? 0 : startMsOf(last) + 1))
}

class BackupRun {
  readonly #log: OpenLog
  readonly #folder: BackupFolder
  readonly #options: BackupOptions
  readonly #chain: readonly StoredBackup[]
  readonly #plan: BackupPlan
  readonly #schemaIds = new Set<number>()
  /** Records that no owner appended. They are not events. */
  #strays = 0

  constructor(
    log: OpenLog,
    folder: BackupFolder,
    options: BackupOptions,
    chain: readonly StoredBackup[],
    plan: BackupPlan,
  ) {
    this.#log = log
    this.#folder = folder
    this.#options = options
    this.#chain = chain
    this.#plan = plan
  }

  async run(startedAt: Date): Promise<BackupOutcome> {
    const { warnings, kind, added } = this.#plan
    const last = this.#chain.at(-1)
    const id = backupId(kind, startedAt)
    try {
      const folder = await this.#folder.begin(id)
      const ranges = await this.#readAll(folder)
      const manifest = await this.#manifest(id, startedAt, ranges)
      if (last !== undefined && manifest.events === 0 && added.length === 0) {
        await this.#folder.discard(id)
        return {
          status: 'nothing-new',
          since: last.manifest.id,
          warnings: [...warnings, ...this.#strayWarnings()],
        }
      }
      this.#options.signal.throwIfAborted()
      await writeManifest(folder, manifest)
      await this.#folder.commit(id)
      return {
        status: 'made',
        manifest,
        warnings: [...warnings, ...this.#strayWarnings(), ...schemaWarnings(manifest)],
      }
    } catch (error) {
      await this.#folder.discard(id).catch(() => undefined)
      throw isOfFiles(error) ? writeFailure(this.#folder.path, error) : error
    }
  }

  async #readAll(folder: string): Promise<ReadonlyMap<PlannedRange, BackedUpRange>> {
    const planned = this.#plan.topics.flatMap(({ ranges }) => ranges)
    this.#options.begin(planned.reduce((sum, { from, until }) => sum + until - from, 0))
    for (const { name } of this.#plan.topics) await mkdir(join(folder, name), { mode: privateFolder })
    const done = new Map<PlannedRange, BackedUpRange>()
    const read = async (range: PlannedRange, signal: AbortSignal) => {
      done.set(range, await this.#readRange(folder, range, signal))
    }
    await inParallel(planned, parallel, read, this.#options.signal)
    return done
  }

  async #readRange(folder: string, planned: PlannedRange, signal: AbortSignal): Promise<BackedUpRange> {
    const { topic, partition, from, until } = planned
    const files = new RecordFiles(folder, topic, partition, this.#options.fileBytesMax)
    let events = 0
    try {
      for await (const { records, strays } of this.#log.reader.readPieces(topic, partition, {
        from,
        until,
      })) {
        signal.throwIfAborted()
        for (const { firstOffset, lastOffset } of strays) this.#strays += lastOffset - firstOffset + 1
        if (records.length === 0) continue
        for (const { value } of records) this.#noteSchema(value)
        await files.add(records)
        events += records.length
        this.#options.advance(records.length)
      }
      return { partition, from, until, events, files: [...(await files.end())] }
    } catch (error) {
      await files.abandon()
      throw error
    }
  }

  #strayWarnings(): string[] {
    if (this.#strays === 0) return []
    const records = this.#strays === 1 ? '1 stray record is' : `${this.#strays} stray records are`
    return [`${records} not included: no owner of the partition appended them (see annals verify)`]
  }

  #noteSchema(value: Buffer | null): void {
    const id = schemaIdIn(value)
    if (id !== undefined) this.#schemaIds.add(id)
  }

  async #manifest(
    id: string,
    startedAt: Date,
    ranges: ReadonlyMap<PlannedRange, BackedUpRange>,
  ): Promise<Manifest> {
    const last = this.#chain.at(-1)
    const before = last?.manifest ?? { schemas: [], unknownSchemaIds: [] }
    const used = await schemasOf(this.#log.registry, this.#schemaIds, before)
    const topics = this.#plan.topics.map(({ ranges: planned, ...topic }) => ({
      ...topic,
      ranges: planned.map((range) => ranges.get(range)).filter((range) => range !== undefined),
    }))
    const all = topics.flatMap((topic) => topic.ranges)
    return {
      ...{ format: 'annals-backup', formatVersion: 1, id, kind: this.#plan.kind },
      ...(last !== undefined && { previous: { id: last.manifest.id, sha256: last.sha256 } }),
      ...{ startedAt: startedAt.toISOString(), finishedAt: new Date().toISOString() },
      clusterId: this.#log.cluster.clusterId,
      ...{ topics, ...used },
      configuration: shownSettings(this.#log.config),
      events: all.reduce((sum, { events }) => sum + events, 0),
      bytes: all.flatMap(({ files }) => files).reduce((sum, { bytes }) => sum + bytes, 0),
    }
  }
}

/** Writes checksums, then the manifest: a folder without a manifest is not a backup. */
async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const files = manifest.topics.flatMap(({ ranges }) => ranges.flatMap((range) => range.files))
  const text = manifestText(manifest)
  const sums = [
    ...files.map(({ sha256, path }) => `${sha256}  ${path}`),
    `${sha256Of(text)}  ${manifestName}`,
  ]
  for (const { name } of manifest.topics) await syncFolder(join(folder, name))
  await writeFile(join(folder, checksumsName), `${sums.join('\n')}\n`, { flush: true, mode: privateFile })
  await writeFile(join(folder, manifestName), text, { flush: true, mode: privateFile })
  await syncFolder(folder)
}

const schemaWarnings = ({ unknownSchemaIds }: Manifest): string[] =>
  unknownSchemaIds.length === 0
    ? []
    : [
        `values refer to schemas ${unknownSchemaIds.join(', ')}, which the registry does not have: they are backed up unchanged, and cannot be decoded`,
      ]

const isOfFiles = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && 'code' in error && !('address' in error)
