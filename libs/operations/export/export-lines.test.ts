import { expect, test } from 'vitest'

import { newEventId, parsePosition, type RecordedEvent, streamIdOf, type Version } from '#domain'

import { Mapping } from '../import/mapping.ts'
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
    new Mapping(
      { stream: 'order.{number}', type: 'Noted', data: { note: { column: 'note' } }, ...changes },
      'm.json',
    ),
  )

test('a line of JSON holds all of the event, and nothing that is empty', () => {
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
])('%j is quoted where it must be', (note, line) => {
  expect(table().header).toBe('number,note\n')
  expect(table().line(event(note))).toBe(line)
})

test('columns stand as the mapping orders them, unknown ones empty, with no header where there is none', () => {
  const ordered = table({ delimiter: ';', header: false, columns: ['note', 'other', 'number'] })
  expect([ordered.header, ordered.line(event('x'))]).toEqual(['', 'x;;42\n'])
})

test.each(['', 'a b'])('between blanks there is no column %j', (note) => {
  const blanks = table({ delimiter: 'blanks' })
  expect(blanks.line(event('x'))).toBe('42 x\n')
  expect(() => blanks.line(event(note))).toThrow('m.json has no row for ')
})
