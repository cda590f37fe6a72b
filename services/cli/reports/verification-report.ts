import { styleText } from 'node:util'

import type { Verification, VerifyFinding, VerifyPart, Where } from '#operations'

import type { CommandReport } from '../cli.ts'
import { grouped } from '../progress/progress-text.ts'
import { listOfPairs } from '../table.ts'
import { ofCluster } from './cluster-report.ts'

/** The report of a verification. */
export function verificationReport(verification: Verification, parts: readonly VerifyPart[]): CommandReport {
  const { status, findings, counts, fraction, tookMs } = verification
  const isInterrupted = status === 'interrupted'
  const isSound = findings.total === 0
  return ofCluster(verification.cluster, {
    document: {
      sound: isSound,
      interrupted: isInterrupted,
      parts,
      fraction,
      counts,
      findings: findings.kept,
      findingsTotal: findings.total,
      tookMs: Math.round(tookMs),
    },
    text: [
      ...findings.kept.map(findingText),
      ...left(verification),
      summary(verification, parts),
      ending(verification),
    ].join('\n'),
    exitCode: isInterrupted ? 130 : isSound ? 0 : 1,
  })
}

const findingText = ({ part, code, message, where }: VerifyFinding): string =>
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
    ? [`… and ${grouped(findings.total - findings.kept.length)} more: set --findings-max to print them`]
    : []

function summary({ counts, fraction, findings }: Verification, parts: readonly VerifyPart[]): string {
  const looked: Record<VerifyPart, string> = {
    log: [
      `${grouped(counts.partitions)} partitions, ${grouped(counts.streams)} streams, ${grouped(counts.events)} events`,
      ...(counts.strays > 0 ? [`${grouped(counts.strays)} stray records`] : []),
      ...(counts.headsAccepted > 0 ? [`${grouped(counts.headsAccepted)} with an accepted missing head`] : []),
    ].join(', '),
    index: `of ${grouped(counts.partitions)} partitions`,
    snapshots: `${grouped(counts.snapshots)} equal to their folds, ${grouped(counts.snapshotsOutdated)} outdated ones skipped`,
    projections: `${grouped(counts.generations)} generations`,
    views: [
      `${grouped(counts.views)} compared, ${grouped(counts.viewsUnderWay)} changing`,
      ...counts.viewsLeftOut.map((why) => `skipped ${why}`),
    ].join('; '),
  }
  const rows = parts.map((part) => [part, `${looked[part]}${findingsText(findings.byPart[part])}`] as const)
  const share = fraction < 1 ? [['sample', `${(fraction * 100).toFixed(1)} % of the streams`] as const] : []
  return listOfPairs([...rows, ...share])
}

const findingsText = (found: number): string =>
  found === 0 ? '' : `, ${found === 1 ? '1 finding' : `${grouped(found)} findings`}`

function ending({ findings, status, tookMs }: Verification): string {
  const took = `in ${(tookMs / 1_000).toFixed(1)} s`
  if (status === 'interrupted') return `Interrupted ${took}: the rest was not verified`
  if (findings.total === 0) return `No findings, ${took}`
  return `${findings.total === 1 ? '1 finding' : `${grouped(findings.total)} findings`}, ${took}`
}
