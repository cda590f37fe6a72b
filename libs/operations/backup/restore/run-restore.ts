import { type Config, shownSettings } from '#config'

import {
  type Interrupted,
  type JobControl,
  noticesTo,
  orInterrupted,
  PhaseProgress,
} from '../../job-control.ts'
import { clusterOf, type NamedCluster } from '../../named-cluster.ts'
import { BackupFolder } from '../backup-folder.ts'
import type { LogOpener, OpenLog } from '../open-log.ts'
import { planRestore, type RestorePlan, type RestorePoint } from './plan-restore.ts'
import { Restore, type Restored } from './restore.ts'

export interface RestoreRequest {
  /** Folder of backups. */
  readonly folder: string
  readonly point: RestorePoint
  /** Copies of each partition; absent: as many as in the backup. */
  readonly replication?: number
  /** Checks the backup and the cluster, and changes nothing. */
  readonly isDryRun: boolean
}

/** A setting whose value differs from that at the time of the backup. */
export interface SettingDifference {
  readonly setting: string
  readonly there: string
  readonly here: string
}

interface Described {
  readonly cluster: NamedCluster
  readonly plan: RestorePlan
  readonly settings: readonly SettingDifference[]
}

/** `interrupted`: the same request resumes it. */
export type RestoreEnd =
  | (Described & { readonly status: 'planned'; readonly isResumed: boolean })
  | (Described & Restored & { readonly status: 'restored'; readonly tookMs: number })
  | Interrupted

export type RestoreControl = JobControl<'checking' | 'restoring'>

/** Each event is written and compared. */
const passes = 2

/**
 * Restores a backup into a cluster that contains none of its events, or checks whether it can. The same request resumes an interrupted restore.
 * @throws OperationError, LogError, SchemaError
 */
export function runRestore(
  { openLog }: { readonly openLog: LogOpener },
  request: RestoreRequest,
  control: RestoreControl,
): Promise<RestoreEnd> {
  const beganMs = performance.now()
  return orInterrupted(control, async () => {
    const folder = await BackupFolder.open(request.folder)
    const checking = new PhaseProgress(control, { phase: 'checking', unit: 'bytes' }, 0)
    const begin = (bytes: number) => checking.extend(bytes)
    const advance = (bytes: number) => checking.advance(bytes)
    const plan = await planRestore(folder, request.point, { begin, advance }, control.signal)
    return openLog((log) => restorePlanned(log, plan, request, control, beganMs), control.signal)
  })
}

async function restorePlanned(
  log: OpenLog,
  plan: RestorePlan,
  { replication, isDryRun }: RestoreRequest,
  control: RestoreControl,
  beganMs: number,
): Promise<RestoreEnd> {
  const progress = new PhaseProgress(control, { phase: 'restoring', unit: 'records' }, 0)
  const restore = new Restore(log, plan, {
    ...{ signal: control.signal, notify: noticesTo(control) },
    advance: (records) => progress.advance(records),
    ...(replication !== undefined && { replication }),
  })
  const described = {
    ...{ cluster: clusterOf(log.cluster, log.config), plan },
    settings: differences(plan, log.config),
  }
  if (isDryRun) return { status: 'planned', ...described, isResumed: await restore.check() }
  progress.extend(passes * plan.events)
  const restored = await restore.run()
  return { status: 'restored', ...described, ...restored, tookMs: performance.now() - beganMs }
}

/** Settings that name servers, files and accounts always differ between installations. */
const ofPlace = /(_URLS?|_BROKERS|_HOST|_PORT|_FILE|_USERNAME|_PREFIX)$/

function differences({ manifest }: RestorePlan, config: Config): SettingDifference[] {
  const now = shownSettings(config)
  const there = manifest.configuration
  return [...new Set([...Object.keys(there), ...Object.keys(now)])]
    .filter((setting) => !ofPlace.test(setting) && there[setting] !== now[setting])
    .map((setting) => ({ setting, there: there[setting] ?? '', here: now[setting] ?? '' }))
}
