import { expect, test } from 'vitest'

import { newEventId, parsePosition, type RecordedEvent, streamIdOf, type Version } from '#domain'

import { ImportMapping } from '../import/mapping.ts'
import { jsonLines, tableLines } from './export-lines.ts'

const event = (note: string): RecordedEvent => ({
  id: newEventId(),
  streamId: streamIdOf('order', '42'),
  version: 1 as Version,
  position: parsePosition('eventstore.order:0:7'),
  timestamp: '2026-01-31T12:00:00.000Z',
  type: 'Noted',
  data: { note },
  metadata: {},
})
const table = (changes: object = {}) =>
  tableLines(
    new ImportMapping(
      { stream: 'order.{number}', type: 'Noted', data: { note: { column: 'note' } }, ...changes },
      'm.json',
    ),
  )

test('a line of JSON has every part of the event except empty ones', () => {
  const noted = event('a\nb')
  expect(JSON.parse(jsonLines.line(noted))).toEqual({
    ...{ streamId: 'order.42', type: 'Noted', data: { note: 'a\nb' }, id: noted.id },
    ...{ version: 1, position: 'eventstore.order:0:7', timestamp: '2026-01-31T12:00:00.000Z' },
  })
  expect(jsonLines.line(noted).trimEnd()).not.toContain('\n')
})

test.each([
  ['plain', '42,plain\n'],
  ['a,b', '42,"a,b"\n'],
  ['say "a"\nb', '42,"say ""a""\nb"\n'],
])('%j is quoted if needed', (note, line) => {
  expect(table().header).toBe('number,note\n')
  expect(table().line(event(note))).toBe(line)
})

test('columns have the order of the mapping; unknown columns are empty; the header is optional', () => {
  const ordered = table({ delimiter: ';', header: false, columns: ['note', 'other', 'number'] })
  expect([ordered.header, ordered.line(event('x'))]).toEqual(['', 'x;;42\n'])
})

test.each(['', 'a b'])('a column separated by blanks cannot be %j', (note) => {
  const blanks = table({ delimiter: 'blanks' })
  expect(blanks.line(event('x'))).toBe('42 x\n')
  expect(() => blanks.line(event(note))).toThrow('m.json has no row for ')
})
