import { readFileSync } from 'node:fs'

import { formatPosition, position } from '#domain'

import type { LoggedPartition } from '../append/log-check.ts'

/** An event as a line of a replay holds it. */
export interface ReplayedEvent {
  readonly id: string
  readonly streamId: string
  readonly version: number
  readonly position: string
  readonly timestamp: string
}

/** The events of whole lines; a file that ends within one is none of ours. */
export function eventsIn(lines: string): ReplayedEvent[] {
  if (lines === '') return []
  if (!lines.endsWith('\n')) throw new Error('the last line has no end')
  return lines
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as ReplayedEvent)
}

export const eventsInFile = (path: string): ReplayedEvent[] => eventsIn(readFileSync(path, 'utf8'))

/** The positions of all events, partition by partition, in log order. */
export const positionsOf = (events: readonly Pick<ReplayedEvent, 'position'>[]): string[] =>
  events.map((event) => event.position).toSorted((a, b) => Number(a.split(':')[1]) - Number(b.split(':')[1]))

/** The same of what the log holds. */
export const positionsInLog = (log: readonly LoggedPartition[]): string[] =>
  log.flatMap(({ topic, partition, events }) =>
    events.map(({ offset }) => formatPosition(position(topic, partition, offset))),
  )
