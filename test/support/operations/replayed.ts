import { readFileSync } from 'node:fs'

import { formatPosition, position } from '#domain'

import type { LoggedPartition } from '../append/log-check.ts'

/** An event in a line of a replay's output. */
export interface ReplayedEvent {
  readonly id: string
  readonly streamId: string
  readonly version: number
  readonly position: string
  readonly timestamp: string
}

/** The events in complete lines. @throws Error when the last line is incomplete. */
export function eventsIn(lines: string): ReplayedEvent[] {
  if (lines === '') return []
  if (!lines.endsWith('\n')) throw new Error('the last line is incomplete')
  return lines
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as ReplayedEvent)
}

export const eventsInFile = (path: string): ReplayedEvent[] => eventsIn(readFileSync(path, 'utf8'))

/** The positions of all events, partition by partition, in log order. */
export const positionsOf = (events: readonly Pick<ReplayedEvent, 'position'>[]): string[] =>
  events.map((event) => event.position).toSorted((a, b) => Number(a.split(':')[1]) - Number(b.split(':')[1]))

/** Positions of all events in the log, by partition. */
export const positionsInLog = (log: readonly LoggedPartition[]): string[] =>
  log.flatMap(({ topic, partition, events }) =>
    events.map(({ offset }) => formatPosition(position(topic, partition, offset))),
  )
