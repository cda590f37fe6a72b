import { expect, test } from 'vitest'

import type { LoggedEvent, LoggedMarker, Producer } from '../history.ts'
import { countedEvents } from './counted.ts'

const place = { topic: 'eventstore.customer', partition: 0 }
const by = (id: number, epoch: number): Producer => ({ id: String(id), epoch })

const event = (offset: number, version: number, producer: Producer): LoggedEvent => ({
  ...{ ...place, offset, version, producer, streamId: 'customer.1' },
  ...{ id: `event-${offset}`, type: 'PurchaseMade', data: {} },
})
const marker = (offset: number, producer: Producer): LoggedMarker => ({
  ...place,
  offset,
  producer,
  timestampMs: 0,
})

const counted = (log: readonly LoggedEvent[], markers: readonly LoggedMarker[], start = 0): number[] =>
  countedEvents({ log, markers, starts: [{ ...place, offset: start }] }).map(({ offset }) => offset)

test.each<[string, number[], readonly LoggedEvent[], readonly LoggedMarker[], number?]>([
  ['under the last marker', [1, 2], [event(1, 1, by(7, 0)), event(2, 2, by(7, 0))], [marker(0, by(7, 0))]],
  [
    'not of an earlier epoch',
    [1],
    [event(1, 1, by(7, 0)), event(3, 2, by(7, 0))],
    [marker(0, by(7, 0)), marker(2, by(7, 1))],
  ],
  [
    'not of a forgotten id',
    [1, 3],
    [event(1, 1, by(7, 3)), event(3, 2, by(8, 0)), event(4, 3, by(7, 3))],
    [marker(0, by(7, 3)), marker(2, by(8, 0))],
  ],
  ['not of a plain producer', [1], [event(1, 1, by(7, 0)), event(2, 2, by(-1, -1))], [marker(0, by(7, 0))]],
  [
    'behind a renewal',
    [1, 3],
    [event(1, 1, by(7, 0)), event(3, 2, by(7, 0))],
    [marker(0, by(7, 0)), marker(2, by(7, 0))],
  ],
  [
    'without any marker, by versions',
    [0, 2],
    [event(0, 1, by(-1, -1)), event(1, 5, by(-1, -1)), event(2, 2, by(-1, -1))],
    [],
  ],
  [
    'before the first marker, by versions',
    [0, 2],
    [event(0, 1, by(5, 0)), event(2, 2, by(7, 0))],
    [marker(1, by(7, 0))],
  ],
  [
    'without the head, not of a plain producer beside one with an id',
    [7, 9],
    [event(7, 11, by(5, 0)), event(8, 12, by(-1, -1)), event(9, 12, by(5, 0))],
    [marker(10, by(7, 0))],
    7,
  ],
  [
    'without the head, of plain producers alone',
    [7, 8],
    [event(7, 11, by(-1, -1)), event(8, 12, by(-1, -1))],
    [marker(10, by(7, 0))],
    7,
  ],
  [
    'nothing before the first marker if the first batch continues a stream that the log does not have',
    [4],
    [event(0, 11, by(5, 1)), event(1, 1, by(5, 1)), event(4, 1, by(7, 0))],
    [marker(3, by(7, 0))],
  ],
  [
    'not of the first owner before its marker',
    [2],
    [event(0, 1, by(7, 0)), event(2, 1, by(7, 1))],
    [marker(1, by(7, 1))],
  ],
  [
    'only those of the owner in a log without its head',
    [7, 9],
    [event(6, 4, by(-1, -1)), event(7, 4, by(7, 0)), event(9, 5, by(7, 1))],
    [marker(8, by(7, 1))],
    6,
  ],
  [
    'in a log without its head, from any version',
    [6, 8],
    [event(6, 4, by(7, 0)), event(8, 5, by(7, 1))],
    [marker(7, by(7, 1))],
    6,
  ],
])('counts %s', (_, expected, log, markers, start) => expect(counted(log, markers, start)).toEqual(expected))
