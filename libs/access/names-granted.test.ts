import fc from 'fast-check'
import { expect, test } from 'vitest'

import { NamesGranted } from './names-granted.ts'
import type { NamePattern } from './pattern.ts'

const granted = { isAllowed: true, reason: 'granted' }
const text = fc.string({ unit: fc.constantFrom('a', 'b', '-', '\u{1f600}', '\uffff'), maxLength: 4 })
const names: fc.Arbitrary<readonly NamePattern[]> = fc.array(
  fc.record({ text: fc.oneof(text, fc.constant('a')), isPrefix: fc.boolean() }),
  { maxLength: 8 },
)

test('exactly the names are found that one of the patterns says, in whatever order they were added', () => {
  fc.assert(
    fc.property(names, text, (patterns, name) => {
      const all = new NamesGranted()
      for (const pattern of patterns) {
        all.add(pattern, granted)
        all.of(name) // a look between two additions must not change what is found
      }
      const isMeant = patterns.some((each) =>
        each.isPrefix ? name.startsWith(each.text) : name === each.text,
      )
      expect(all.of(name) !== undefined).toBe(isMeant)
      expect(all.first !== undefined).toBe(patterns.length > 0)
      expect(all.all !== undefined).toBe(patterns.some((each) => each.isPrefix && each.text === ''))
    }),
    { numRuns: 2_000 },
  )
})

test('of two grants of the same name, the first is the reason', () => {
  const all = new NamesGranted()
  const second = { isAllowed: true, reason: 'second' }
  for (const isPrefix of [true, false]) {
    all.add({ text: 'a', isPrefix }, granted)
    all.add({ text: 'a', isPrefix }, second)
  }
  expect([all.of('a'), all.of('ab'), all.first]).toEqual([granted, granted, granted])
})
