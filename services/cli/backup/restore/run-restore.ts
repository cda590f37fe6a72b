import { type Config, shownSettings } from '#config'

import type { Cli, Report } from '../../cli.ts'
import { CommandError, failureOf } from '../../failure.ts'
import { clusterOf, ofCluster } from '../../named-cluster.ts'
import { noDisplay, noticeOf, progressDisplay } from '../../progress-display.ts'
import { ProgressMeter } from '../../progress-meter.ts'
import { grouped } from '../../progress-text.ts'
import { BackupError } from '../backup-error.ts'
import { BackupFolder } from '../backup-folder.ts'
import { withLog } from '../open-log.ts'
import { withRights } from '../run-backup.ts'
import { planRestore, type RestorePlan, type RestorePoint } from './plan-restore.ts'
import { Restore, type Restored } from './restore.ts'

export interface RestoreSettings {
  readonly point: RestorePoint
  readonly replication?: number
  readonly isDryRun: boolean
}

/** Each event is written and compared. */
const passes = 2

/** Restores a backup, or looks whether it could. @throws whatever {@link failureOf} translates. */
export async function restoreBackup(
  cli: Cli,
  config: Config,
  path: string,
  { point, replication, isDryRun }: RestoreSettings,
  signal: AbortSignal,
): Promise<Report> {
  const folder = await BackupFolder.open(path)
  const beganMs = performance.now()
  try {
    const plan = await withMeter(cli, (meter) => {
      const begin = (bytes: number) => meter.extend(bytes)
      return planRestore(folder, point, { begin, advance: (bytes) => meter.advance(bytes) }, signal)
    })
    return await withLog(config, (log) =>
      withMeter(cli, async (meter) => {
        const advance = (records: number) => meter.advance(records)
        const options = {
          advance,
          signal,
          tell: noticeOf(cli),
          ...(replication !== undefined && { replication }),
        }
        const restore = new Restore(log, plan, options)
        const cluster = clusterOf(log.cluster, config)
        if (isDryRun) return ofCluster(cluster, planned(plan, await restore.check(), config))
        meter.extend(passes * plan.events)
        const restored = await restore.run()
        const seconds = (performance.now() - beganMs) / 1_000
        return ofCluster(cluster, told(plan, restored, config, seconds))
      }),
    )
  } catch (error) {
    if (signal.aborted) return interrupted()
    throw withAdvice(withRights(error))
  }
}

async function withMeter<T>({ isJson }: Cli, work: (meter: ProgressMeter) => Promise<T>): Promise<T> {
  const meter = new ProgressMeter(isJson ? noDisplay : progressDisplay(process.stderr), 0)
  try {
    return await work(meter)
  } finally {
    meter.end()
  }
}

/** What fails on the way is gone on with. */
function withAdvice(error: unknown): unknown {
  if (error instanceof BackupError) return error
  const { message, exitCode, ...failure } = failureOf(error)
  if (exitCode !== 3 && exitCode !== 4) return error
  const advice = 'Once that is mended run the same command again: it goes on where it was'
  return new CommandError({ ...failure, exitCode, message: `${message}. ${advice}` }, { cause: error })
}

const interrupted = (): Report => ({
  document: { status: 'interrupted' },
  text: 'Interrupted, and nothing is lost: the same command goes on. Until it is done no service starts that has begun topics',
  exitCode: 130,
})

function planned(plan: RestorePlan, isResumed: boolean, config: Config): Report {
  const { id, manifest, topics, events, schemas } = plan
  const rows = topics.map(
    ({ name, partitions, events: own }) => `  ${name}: ${grouped(own)} events in ${partitions} partitions`,
  )
  return {
    document: {
      status: 'planned',
      backup: id,
      ...countsOf(plan),
      resumes: isResumed,
      settings: differences(plan, config),
    },
    text: [
      `${id} is whole, and would be restored as it was at ${manifest.startedAt}: ${grouped(events)} events, ${schemas.length} schemas`,
      ...rows,
      ...(isResumed ? ['It would go on with a restore that was interrupted'] : []),
      ...settingsText(plan, config),
      'Nothing was changed',
    ].join('\n'),
  }
}

function told(
  plan: RestorePlan,
  { isResumed, idsChanged }: Restored,
  config: Config,
  seconds: number,
): Report {
  const { id, events, topics } = plan
  const rate = grouped(Math.round(events / seconds))
  return {
    document: {
      ...{ status: 'restored', backup: id, ...countsOf(plan), resumed: isResumed, idsChanged },
      settings: differences(plan, config),
      tookMs: Math.round(seconds * 1_000),
    },
    text: [
      `Restored ${id}: ${grouped(events)} events of ${topics.length} topics, each compared, in ${seconds.toFixed(1)} s (${rate} events/s)`,
      ...(idsChanged > 0
        ? [`${idsChanged} schemas have another id in this registry: values name the new ones`]
        : []),
      ...settingsText(plan, config),
      'Start the services: they make index, snapshots and projections anew. Then run `annals verify`',
    ].join('\n'),
  }
}

const countsOf = ({ topics, events, schemas }: RestorePlan) => ({
  events,
  schemas: schemas.length,
  topics: topics.map(({ name, partitions, events: own }) => ({ name, partitions, events: own })),
})

interface Difference {
  readonly setting: string
  readonly there: string
  readonly here: string
}

/** Where a cluster is, and whose secrets it takes, is its own affair. */
const ofPlace = /(_URLS?|_BROKERS|_HOST|_PORT|_FILE|_USERNAME|_PREFIX)$/

/** Settings that were others when the backup was made. */
function differences({ manifest }: RestorePlan, config: Config): Difference[] {
  const now = shownSettings(config)
  const there = manifest.configuration
  return [...new Set([...Object.keys(there), ...Object.keys(now)])]
    .filter((setting) => !ofPlace.test(setting) && there[setting] !== now[setting])
    .map((setting) => ({ setting, there: there[setting] ?? '', here: now[setting] ?? '' }))
}

function settingsText(plan: RestorePlan, config: Config): string[] {
  const changed = differences(plan, config)
  if (changed.length === 0) return []
  const drawn = changed.map(
    ({ setting, there, here }) => `${setting} was ${there || 'not set'}, here ${here || 'not set'}`,
  )
  return [`Settings that were others there: ${drawn.join('; ')}`]
}
