import type { DomainModule } from '#domain'
import { reportSafely } from '#observability'

import { type Interrupted, type JobControl, noticesTo, orInterrupted, PhaseProgress } from '../job-control.ts'
import { clusterOf, type NamedCluster } from '../named-cluster.ts'
import { BackupFolder } from './backup-folder.ts'
import { type BackupOutcome, makeBackup } from './make-backup.ts'
import type { LogOpener, OpenLog } from './open-log.ts'
import { topicsAsked } from './plan-backup.ts'
import { removeOld, type Retention, type RetentionOutcome } from './retention.ts'
import { type Due, watchBackups } from './watch-backup.ts'

export interface BackupRequest {
  /** Folder of backups; created if it is missing. */
  readonly folder: string
  /** Aggregate types; none means all of the domain. */
  readonly types: readonly string[]
  /** Starts a new chain. */
  readonly isFull: boolean
  /** A chain with this many incremental backups is not continued. */
  readonly incrementalsMax?: number
  /** Which older chains to keep; absent: all. */
  readonly retention?: Retention
}

/** What a backup reads. The log is opened when the request has been checked. */
export interface BackupSource {
  readonly domain: DomainModule
  readonly openLog: LogOpener
}

/** A backup that was not interrupted. */
export type BackupMade = BackupOutcome & {
  readonly cluster: NamedCluster
  /** Absent if the request has no retention. */
  readonly retention?: RetentionOutcome
  readonly tookMs: number
}

/** `interrupted`: nothing was added to the folder. */
export type BackupEnd = BackupMade | Interrupted

/** What a repeated backup reports: each backup, and each failure before its retry. */
export type BackupReport =
  BackupMade | { readonly status: 'failed'; readonly error: unknown; readonly retryMs: number }

export type BackupControl = JobControl<'reading'>

/**
 * Adds one backup to the folder, and removes older chains.
 * @throws InvalidInputError, OperationError, LogError, SchemaError
 */
export function runBackup(
  source: BackupSource,
  request: BackupRequest,
  control: BackupControl,
): Promise<BackupEnd> {
  return orInterrupted(control, async () => {
    const folder = await prepare(source, request)
    return source.openLog((log) => backUp(log, source.domain, folder, request, control), control.signal)
  })
}

/**
 * Adds a backup whenever one is due, the first one immediately, until the signal aborts. A failure is retried until it succeeds.
 * @param control.onReport receives each backup and each failure. An error that it throws is dropped.
 * @throws InvalidInputError, OperationError for an invalid request.
 */
export async function runBackups(
  source: BackupSource,
  { due, ...request }: BackupRequest & { readonly due: Due },
  control: BackupControl & { readonly onReport: (report: BackupReport) => void },
): Promise<void> {
  const folder = await prepare(source, request)
  const report = (what: BackupReport) => reportSafely(() => control.onReport(what))
  let made = 0
  await watchBackups({
    ...{ due, types: request.types, domain: source.domain, signal: control.signal },
    open: source.openLog,
    make: async (log) => {
      const next = { ...request, isFull: request.isFull && made === 0 }
      report(await backUp(log, source.domain, folder, next, control))
      made++
    },
    failed: (error, retryMs) => report({ status: 'failed', error, retryMs }),
  })
}

/** Rejects an invalid request before anything is created or watched. */
function prepare({ domain }: BackupSource, { folder, types }: BackupRequest): Promise<BackupFolder> {
  topicsAsked(domain, types)
  return BackupFolder.make(folder)
}

async function backUp(
  log: OpenLog,
  domain: DomainModule,
  folder: BackupFolder,
  { types, isFull, incrementalsMax, retention }: BackupRequest,
  control: BackupControl,
): Promise<BackupMade> {
  const beganMs = performance.now()
  const progress = new PhaseProgress(control, { phase: 'reading', unit: 'events' }, 0)
  const outcome = await makeBackup(log, domain, folder, {
    ...{ types, isFull, signal: control.signal },
    ...(incrementalsMax !== undefined && { incrementalsMax }),
    begin: (offsets) => progress.extend(offsets),
    advance: (events) => progress.advance(events),
  })
  const tookMs = performance.now() - beganMs
  const notify = noticesTo(control)
  for (const message of outcome.warnings) notify({ kind: 'warning', message })
  const removed = retention === undefined ? undefined : await removeOld(folder, retention)
  const cluster = clusterOf(log.cluster, log.config)
  return { ...outcome, cluster, tookMs, ...(removed !== undefined && { retention: removed }) }
}
