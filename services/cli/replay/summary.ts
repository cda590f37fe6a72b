import { formatPosition, position } from '#domain'

import { grouped } from '../progress-text.ts'
import { table } from '../table.ts'
import type { ReplayProgress } from './replay-progress.ts'
import type { Destination, ReplayRequest } from './replay-request.ts'

/** What a replay did, for programs and for people. */
export interface Summary {
  readonly document: object
  readonly text: string
}

/** @param seconds that this run took. */
export function summaryOf(
  request: ReplayRequest,
  topic: string,
  progress: ReplayProgress,
  end: 'done' | 'interrupted' | 'failed',
  seconds: number,
): Summary {
  const { dryRun, destination } = request
  const events = progress.sum('replayed')
  const left = progress.sum('leftOut')
  return {
    document: {
      ...{ end, topic, dryRun, destination, events, read: progress.sum('read'), unreadable: left },
      ...{ seconds: Math.round(seconds * 1_000) / 1_000, partitions: progress.partitions.map(named) },
      unreadableRecords: progress.leftOut,
    },
    text: [
      `${headline(request, events)} of ${topic}, in ${seconds.toFixed(1)} s`,
      partitionTable(progress),
      ...leftOutLines(progress, left),
    ].join('\n'),
  }
}

/** The document names things as people do who do not know the code. */
const named = ({ leftOut, ...partition }: ReplayProgress['partitions'][number]): object => ({
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

const partitionTable = (progress: ReplayProgress): string =>
  table(
    ['partition', 'from', 'next', 'until', 'read', 'replayed', 'unreadable'],
    progress.partitions.map((each) => [
      ...[each.partition, each.from, each.next, each.until],
      ...[grouped(each.read), grouped(each.replayed), grouped(each.leftOut)],
    ]),
  )

function leftOutLines({ leftOut }: ReplayProgress, all: number): string[] {
  const lines = leftOut.map((each) => `left out: ${each.position}: ${each.reason}`)
  const more = all - leftOut.length
  return more > 0 ? [...lines, `left out: ${grouped(more)} more`] : lines
}

/** How to go on with what is not done. @param progress undefined where it has not begun. */
export function howToResume({ checkpoint, dryRun }: ReplayRequest, { partitions }: ReplayProgress): string {
  if (dryRun) return 'A dry run begins anew'
  if (checkpoint !== undefined) return `Go on by the same command with --resume (checkpoint ${checkpoint})`
  const options = partitions.map(({ partition, next }) => `--from-offset ${partition}:${next}`)
  return `Go on by the same command with ${options.join(' ')}; next time name a --checkpoint`
}

/** How far it came, in a sentence. */
export const howFar = (progress: ReplayProgress, topic: string): string => {
  const last = progress.partitions.find(({ next, until }) => next < until)
  const where =
    last === undefined ? '' : `, next is ${formatPosition(position(topic, last.partition, last.next))}`
  return `${grouped(progress.sum('replayed'))} events were replayed${where}`
}
