import type { Config } from '#config'
import type { DomainModule } from '#domain'

import type { Cli, Report } from '../cli.ts'
import { CommandError, failureOf } from '../failure.ts'
import { clusterOf, ofCluster } from '../named-cluster.ts'
import { noDisplay, progressDisplay } from '../progress-display.ts'
import { ProgressMeter } from '../progress-meter.ts'
import { duration, grouped } from '../progress-text.ts'
import { BackupFolder } from './backup-folder.ts'
import { type BackupOutcome, makeBackup } from './make-backup.ts'
import { domainOf, type OpenLog, withLog } from './open-log.ts'
import { topicsAsked } from './plan-backup.ts'
import { removeOld, type Retention, type RetentionOutcome } from './retention.ts'
import { type Due, watchBackups } from './watch-backup.ts'

export interface BackupSettings {
  readonly types: readonly string[]
  readonly isFull: boolean
  readonly incrementalsMax?: number
  readonly retention?: Retention
  readonly due: Due
}

interface Work {
  readonly cli: Cli
  readonly domain: DomainModule
  readonly folder: BackupFolder
  readonly settings: BackupSettings
  readonly signal: AbortSignal
}

/** Makes one backup, and removes what is too old. @throws whatever {@link failureOf} translates. */
export async function backUpOnce(
  cli: Cli,
  config: Config,
  path: string,
  settings: BackupSettings,
  signal: AbortSignal,
): Promise<Report> {
  const work = await prepare(cli, config, path, settings, signal)
  try {
    return await withLog(config, (log) => backUp(log, work))
  } catch (error) {
    if (!signal.aborted) throw withRights(error)
    return {
      document: { status: 'interrupted' },
      text: `Interrupted: nothing was added to ${path}. The same command begins the backup anew`,
      exitCode: 130,
    }
  }
}

/** Makes backups until the signal aborts, and prints a line of each. */
export async function backUpForever(
  cli: Cli,
  config: Config,
  path: string,
  settings: BackupSettings,
  signal: AbortSignal,
): Promise<Report> {
  const work = await prepare(cli, config, path, settings, signal)
  let made = 0
  await watchBackups({
    ...{ due: settings.due, types: settings.types, domain: work.domain, signal },
    open: (use) => withLog(config, use),
    make: async (log) => {
      const report = await backUp(log, {
        ...work,
        settings: { ...settings, isFull: settings.isFull && made === 0 },
      })
      made++
      say(cli, report)
    },
    failed: (message, retryMs) => {
      const next = `next try in ${duration(retryMs / 1_000)}`
      say(cli, { document: { status: 'failed', message, retryMs }, text: `failed: ${message}; ${next}` })
    },
  })
  return { document: { status: 'ended' }, text: `Ended. ${path} has all backups that were told of` }
}

/** What watching is run for is told as it happens. */
const say = ({ isJson }: Cli, { document, text }: Report): void => {
  const at = new Date().toISOString()
  // One line each, for a program as well as for a log.
  console.log(isJson ? JSON.stringify({ at, ...document }) : `${at} ${text.replaceAll('\n', '; ')}`)
}

async function prepare(
  cli: Cli,
  config: Config,
  path: string,
  settings: BackupSettings,
  signal: AbortSignal,
): Promise<Work> {
  const domain = await domainOf(config)
  // What is wrong for good is told at once, before anything is made or watched.
  topicsAsked(domain, settings.types)
  return { cli, domain, folder: await BackupFolder.make(path), settings, signal }
}

async function backUp(log: OpenLog, { cli, domain, folder, settings, signal }: Work): Promise<Report> {
  const beganMs = performance.now()
  const meter = new ProgressMeter(cli.isJson ? noDisplay : progressDisplay(process.stderr), 0)
  const { types, isFull, incrementalsMax, retention } = settings
  try {
    const outcome = await makeBackup(log, domain, folder, {
      ...{ types, isFull, signal },
      ...(incrementalsMax !== undefined && { incrementalsMax }),
      begin: (offsets) => meter.extend(offsets),
      advance: (events) => meter.advance(events),
    })
    const seconds = (performance.now() - beganMs) / 1_000
    for (const warning of outcome.warnings) process.stderr.write(`warning: ${warning}\n`)
    const removed = retention === undefined ? undefined : await removeOld(folder, retention)
    return ofCluster(clusterOf(log.cluster, log.config), told(folder.path, outcome, removed, seconds))
  } finally {
    meter.end()
  }
}

function told(
  path: string,
  outcome: BackupOutcome,
  retention: RetentionOutcome | undefined,
  seconds: number,
): Report {
  const { removed = [], kept = [] } = retention ?? {}
  return {
    document: { ...documentOf(outcome, seconds), ...(retention !== undefined && { removed, kept }) },
    text: [
      ...textOf(path, outcome, seconds),
      ...(removed.length > 0 ? [`Removed ${removed.length} older chains: ${removed.join(', ')}`] : []),
      ...kept.map((why) => `Not removed: ${why}`),
    ].join('\n'),
  }
}

function documentOf(outcome: BackupOutcome, seconds: number): object {
  const { status, warnings } = outcome
  if (outcome.status === 'nothing-new') return { status, since: outcome.since, warnings }
  const { id, kind, events, bytes, topics } = outcome.manifest
  return {
    ...{ status, backup: id, kind, events, bytes, warnings, tookMs: Math.round(seconds * 1_000) },
    topics: topics.map(({ name, ranges }) => ({
      name,
      events: ranges.reduce((sum, range) => sum + range.events, 0),
    })),
  }
}

function textOf(path: string, outcome: BackupOutcome, seconds: number): string[] {
  if (outcome.status === 'nothing-new') return [`Nothing is new since ${outcome.since}: nothing was added`]
  const { id, events, bytes, topics, kind } = outcome.manifest
  const rate = `${grouped(Math.round(events / seconds))} events/s`
  const made = `Made ${id}: ${grouped(events)} events of ${topics.length} ${topics.length === 1 ? 'topic' : 'topics'}, ${grouped(bytes)} bytes, in ${seconds.toFixed(1)} s (${rate})`
  if (kind === 'incremental') return [made]
  return [
    made,
    'Left out, for services make it anew from the events: snapshots, projections, what Redis has',
    `Restored by \`annals restore ${path}\``,
  ]
}

/** Whoever lacks a right is told where to find which ones it takes. */
export function withRights(error: unknown): unknown {
  const { message, ...failure } = failureOf(error)
  const { kafkaCode = '' } = (failure.details ?? {}) as { readonly kafkaCode?: string }
  if (!kafkaCode.endsWith('_AUTHORIZATION_FAILED')) return error
  const advice = 'docs/operations/backup.md tells which rights it takes'
  return new CommandError({ ...failure, message: `${message}. ${advice}` }, { cause: error })
}
