import { formatPosition, position } from '#domain'
import type { Destination, PartitionProgress, ReplayOutcome, ReplayRequest } from '#operations'

import type { CommandReport } from '../cli.ts'
import { CommandError, failureOf } from '../failure.ts'
import { grouped } from '../progress/progress-text.ts'
import { table } from '../table.ts'
import { ofCluster } from './cluster-report.ts'

/** The report of a replay. @throws CommandError for a replay that failed; its message says how to resume. */
export function replayReport(request: ReplayRequest, outcome: ReplayOutcome): CommandReport {
  const { cluster } = outcome
  const { document, text } = summaryOf(request, outcome)
  const isAside = request.destination.kind === 'stdout'
  if (cluster === undefined) return { document, text: notBegun, isAside, exitCode: 130 }
  if (outcome.status === 'failed') {
    const { message, details, ...failure } = failureOf(outcome.error)
    const advice = `${howFar(outcome)}. ${howToResume(request, outcome)}`
    throw new CommandError(
      { ...failure, message: `${message}. ${advice}`, details: { ...details, ...document } },
      { cause: outcome.error },
    )
  }
  if (outcome.status === 'done') return ofCluster(cluster, { document, text, isAside })
  const lines = [text, `Interrupted. ${howToResume(request, outcome)}`]
  return ofCluster(cluster, { document, text: lines.join('\n'), isAside, exitCode: 130 })
}

const notBegun = 'Interrupted before it began: nothing was written. Run the same command again'

function summaryOf(request: ReplayRequest, outcome: ReplayOutcome): Pick<CommandReport, 'document' | 'text'> {
  const { dryRun, destination } = request
  const { status: end, topic, counts, partitions, leftOut, tookMs } = outcome
  const { replayed: events, read, leftOut: unreadable } = counts
  return {
    document: {
      ...{ end, topic, dryRun, destination, events, read, unreadable },
      ...{ seconds: Math.round(tookMs) / 1_000, partitions: partitions.map(named) },
      unreadableRecords: leftOut,
    },
    text: [
      `${headline(request, events)} of ${topic}, in ${(tookMs / 1_000).toFixed(1)} s`,
      partitionTable(partitions),
      ...leftOutLines(outcome),
    ].join('\n'),
  }
}

/** The document calls skipped records `unreadable`. */
const named = ({ leftOut, ...partition }: PartitionProgress): object => ({
  ...partition,
  unreadable: leftOut,
})

const headline = ({ dryRun, destination }: ReplayRequest, events: number): string =>
  dryRun
    ? `Would replay ${grouped(events)} events to ${nameOf(destination)}`
    : `Replayed ${grouped(events)} events to ${nameOf(destination)}`

function nameOf(destination: Destination): string {
  switch (destination.kind) {
    case 'stdout':
      return 'standard output'
    case 'file':
      return destination.path
    case 'topic':
      return `topic ${destination.name}`
  }
}

const partitionTable = (partitions: readonly PartitionProgress[]): string =>
  table(
    ['partition', 'from', 'next', 'until', 'read', 'replayed', 'unreadable'],
    partitions.map((each) => [
      ...[each.partition, each.from, each.next, each.until],
      ...[grouped(each.read), grouped(each.replayed), grouped(each.leftOut)],
    ]),
  )

function leftOutLines({ leftOut, counts }: ReplayOutcome): string[] {
  const lines = leftOut.map((each) => `skipped: ${each.position}: ${each.reason}`)
  const more = counts.leftOut - leftOut.length
  return more > 0 ? [...lines, `skipped: ${grouped(more)} more`] : lines
}

function howToResume({ checkpoint, dryRun }: ReplayRequest, { partitions }: ReplayOutcome): string {
  if (dryRun) return 'A dry run starts over'
  if (checkpoint !== undefined)
    return `Run the same command with --resume to continue (checkpoint ${checkpoint})`
  const options = partitions.map(({ partition, next }) => `--from-offset ${partition}:${next}`)
  return `Run the same command with ${options.join(' ')} to continue; next time set --checkpoint`
}

/** How many events were replayed, and the position of the next. */
function howFar({ counts, topic, partitions }: ReplayOutcome): string {
  const last = partitions.find(({ next, until }) => next < until)
  const where =
    last === undefined ? '' : `, next is ${formatPosition(position(topic, last.partition, last.next))}`
  return `${grouped(counts.replayed)} events were replayed${where}`
}
