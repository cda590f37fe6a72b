import { styleText } from 'node:util'

import { type Command, Option } from 'commander'

import { loadConfig } from '#config'

import { count } from '../arguments.ts'
import type { Cli, Report } from '../cli.ts'
import { interruptible } from '../interruption.ts'
import { noDisplay, progressDisplay } from '../progress-display.ts'
import { grouped } from '../progress-text.ts'
import { ofCluster } from '../named-cluster.ts'
import { list } from '../table.ts'
import type { Finding, VerifyPart, Where } from '../verify/finding.ts'
import type { Verification } from '../verify/verify.ts'

interface VerifyCommandOptions {
  readonly sample?: number
  readonly seed: string
  readonly findingsMax: number
  readonly views?: boolean
}

const help = `
It reads Kafka, Redis and the store of views directly (settings as for the services: docs/configuration.md) and changes nothing. Writers,
snapshotters and projectors may go on meanwhile. docs/operations/verify.md tells what is compared, and what each finding means.

Examples:
  annals verify
  annals verify customer --views
  annals verify --sample 1000 --seed "$(date +%F)" --json`

export function addVerify(program: Command, cli: Cli): void {
  withLimits(
    program
      .command('verify')
      .description('Compare log, index, snapshots and projections: every stream whole, every copy equal.')
      .argument('[aggregateType...]', 'which streams; all where none is named')
      .option('--views', 'compare views with a fold of the whole log as well: takes as long as a rebuild'),
  )
    .addHelpText('after', help)
    .action(async (types: readonly string[], options: VerifyCommandOptions) => {
      const parts: VerifyPart[] = ['log', 'index', 'snapshots', 'projections']
      cli.report(
        await verifyReport(cli, types, options.views === true ? [...parts, 'views'] : parts, options),
      )
    })
}

/** Options of everything that compares. */
export const withLimits = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--sample <streams>',
        'look closely at about so many streams; the others are passed over',
      ).argParser(count('--sample', 1, 1_000_000_000)),
    )
    .addOption(new Option('--seed <text>', 'another text takes another sample').default(''))
    .addOption(
      new Option('--findings-max <count>', 'findings that are printed; all are counted')
        .argParser(count('--findings-max', 1, 100_000))
        .default(100),
    )

/** Compares, and says what was found. */
export async function verifyReport(
  { env, isJson }: Cli,
  types: readonly string[],
  parts: readonly VerifyPart[],
  { sample, seed, findingsMax }: Omit<VerifyCommandOptions, 'views'>,
): Promise<Report> {
  // Loaded only here, as by doctor: the clients of Kafka and Redis take their time.
  const [{ verify }, { withReadingBackends }] = await Promise.all([
    import('../verify/verify.ts'),
    import('#service'),
  ])
  const config = loadConfig(env)
  const beganMs = performance.now()
  const verification = await interruptible((signal) =>
    withReadingBackends(config, (backends) =>
      verify(config, backends, {
        ...{ types, seed, findingsMax, signal, parts: new Set(parts) },
        ...(sample !== undefined && { sample }),
        display: isJson ? noDisplay : progressDisplay(process.stderr),
      }),
    ),
  )
  const tookMs = Math.round(performance.now() - beganMs)
  return ofCluster(verification.cluster, told(verification, parts, tookMs))
}

function told(verification: Verification, parts: readonly VerifyPart[], tookMs: number): Report {
  const { findings, counts, fraction, isInterrupted } = verification
  const isSound = findings.total === 0
  return {
    document: {
      sound: isSound,
      interrupted: isInterrupted,
      parts,
      fraction,
      counts,
      findings: findings.kept,
      findingsTotal: findings.total,
      tookMs,
    },
    text: [
      ...findings.kept.map(drawn),
      ...left(verification),
      summary(verification, parts),
      ending(verification, tookMs),
    ].join('\n'),
    exitCode: isInterrupted ? 130 : isSound ? 0 : 1,
  }
}

const drawn = ({ part, code, message, where }: Finding): string =>
  `${styleText('red', part)}  ${[whereText(where), code].filter((text) => text !== '').join('  ')}: ${message}`

function whereText({
  topic,
  partition,
  offset,
  streamId,
  version,
  projection,
  generation,
  key,
}: Where): string {
  const place = [topic, partition, offset].filter((part) => part !== undefined).join(':')
  return [
    place,
    streamId ?? '',
    version === undefined ? '' : `version ${version}`,
    projection === undefined ? '' : `projection ${projection}`,
    generation === undefined ? '' : `generation ${generation}`,
    key === undefined ? '' : `view ${JSON.stringify(key)}`,
  ]
    .filter((text) => text !== '')
    .join(' ')
}

const left = ({ findings }: Verification): string[] =>
  findings.total > findings.kept.length
    ? [`… and ${grouped(findings.total - findings.kept.length)} more: --findings-max prints them`]
    : []

function summary({ counts, fraction, findings }: Verification, parts: readonly VerifyPart[]): string {
  const looked: Record<VerifyPart, string> = {
    log: [
      `${grouped(counts.partitions)} partitions, ${grouped(counts.streams)} streams, ${grouped(counts.events)} events`,
      ...(counts.strays > 0 ? [`${grouped(counts.strays)} stray records`] : []),
      ...(counts.headsAccepted > 0
        ? [`${grouped(counts.headsAccepted)} without their head, as accepted`]
        : []),
    ].join(', '),
    index: `of ${grouped(counts.partitions)} partitions`,
    snapshots: `${grouped(counts.snapshots)} equal to their folds, ${grouped(counts.snapshotsOutdated)} outdated ones passed over`,
    projections: `${grouped(counts.generations)} generations`,
    views: [
      `${grouped(counts.views)} compared, ${grouped(counts.viewsUnderWay)} under way`,
      ...counts.viewsLeftOut.map((why) => `left out ${why}`),
    ].join('; '),
  }
  const rows = parts.map((part) => [part, `${looked[part]}${findingsText(findings.of(part))}`] as const)
  const share = fraction < 1 ? [['sample', `${(fraction * 100).toFixed(1)} % of the streams`] as const] : []
  return list([...rows, ...share])
}

const findingsText = (found: number): string =>
  found === 0 ? '' : `, ${found === 1 ? '1 finding' : `${grouped(found)} findings`}`

function ending({ findings, isInterrupted }: Verification, tookMs: number): string {
  const took = `in ${(tookMs / 1_000).toFixed(1)} s`
  if (isInterrupted)
    return `Interrupted ${took}: the rest was not looked at. Run it again, it changes nothing`
  if (findings.total === 0) return `Sound: nothing was found, ${took}`
  return `${findings.total === 1 ? '1 finding' : `${grouped(findings.total)} findings`}, ${took}`
}
