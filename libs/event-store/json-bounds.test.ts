import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { jsonDepthMax, jsonExcess, jsonPartsMax } from './json-bounds.ts'

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

const nested = (depth: number, open: string, close: string) => open.repeat(depth) + '1' + close.repeat(depth)

describe('JSON is rejected before it is parsed', () => {
  test.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
    ['spaced out', ' [ ', ' ] '],
  ])('when %s are nested deeper than the bound', (_, open, close) => {
    expect(jsonExcess(nested(jsonDepthMax, open, close))).toBeUndefined()
    expect(jsonExcess(nested(jsonDepthMax + 1, open, close))).toBe('too-deep')
    expect(jsonExcess(open.repeat(4_000_000))).toBe('too-deep')
  })

  test.each([
    ['numbers', '1,'],
    ['empty arrays', '[],'],
    ['empty objects', '{},'],
    ['members', '"a":1,'],
  ])('when it has too many %s', (_, part) => {
    expect(jsonExcess(`[${part.repeat(jsonPartsMax / 5)}1]`)).toBeUndefined()
    expect(jsonExcess(`[${part.repeat(jsonPartsMax + 1)}1]`)).toBe('too-many-parts')
  })

  test('by its real depth, regardless of the content of strings', () => {
    const text = fc.string({ unit: fc.constantFrom('"', '\\', '[', '{', ']', '}', 'a', ',', ':', 'é', '\n') })
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ maxDepth: 8 }, text, fc.integer(), tie('list'), tie('map')),
      list: fc.array(tie('any'), { maxLength: 4 }),
      map: fc.dictionary(text, tie('any'), { maxKeys: 4 }),
    })).any
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 2 }), (inner, spaces) => {
        // Wrapped to reach the bound exactly, so one misread string changes the result.
        const json = JSON.stringify(inner, undefined, spaces)
        const room = jsonDepthMax - depthOf(inner)
        expect(jsonExcess('['.repeat(room) + json + ']'.repeat(room))).toBeUndefined()
        if (depthOf(inner) > 0) expect(jsonExcess('['.repeat(room + 1) + json)).toBe('too-deep')
        expect(jsonExcess(`${json},${'['.repeat(jsonDepthMax)}`)).toBeUndefined()
        expect(jsonExcess(`${json},${'['.repeat(jsonDepthMax + 1)}`)).toBe('too-deep')
      }),
    )
  })
})

test('a text of backslashes is scanned once', () => {
  const startedMs = performance.now()
  expect(jsonExcess(`"${'\\'.repeat(4_000_000)}"`)).toBeUndefined()
  expect(jsonExcess(`"${'\\"'.repeat(4_000_000)}"`)).toBeUndefined()
  expect(performance.now() - startedMs).toBeLessThan(2_000)
})
