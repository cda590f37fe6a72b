import fc from 'fast-check'
import { expect, test } from 'vitest'

import { monthAfter } from './fold.ts'
import { isSumOfPrefixes, type MonthPart } from './sums-of-prefixes.ts'

const event = fc.record({
  data: fc.record({
    date: fc.constant('1997-01-01'),
    cds: fc.integer({ min: 1, max: 2 }),
    amount: fc.constantFrom('0.00', '0.10', '0.20'),
  }),
})
const part = fc
  .tuple(fc.array(event, { maxLength: 4 }), fc.nat(4), fc.nat(4))
  .map(([events, one, other]): MonthPart => {
    const [least, most] = [Math.min(one, other, events.length), Math.min(Math.max(one, other), events.length)]
    return { events, least, most }
  })

/** The views that any choice of prefixes gives. */
function allViews([first, ...rest]: readonly MonthPart[], chosen: MonthPart['events'] = []): string[] {
  if (first === undefined) return [JSON.stringify(chosen.length === 0 ? null : monthAfter(chosen))]
  const counts = Array.from({ length: first.most - first.least + 1 }, (_, index) => first.least + index)
  return counts.flatMap((count) => allViews(rest, [...chosen, ...first.events.slice(0, count)]))
}

test('accepts exactly the views that some prefixes of the parts produce', () => {
  const wanted = fc.record({
    purchases: fc.nat(6),
    cds: fc.nat(9),
    revenue: fc.constantFrom('0.10', '0.30', '0.50'),
  })
  fc.assert(
    fc.property(fc.array(part, { maxLength: 3 }), fc.option(wanted), fc.nat(), (parts, other, which) => {
      const views = allViews(parts)
      const view = JSON.parse(views[which % views.length] ?? 'null') as unknown
      expect(isSumOfPrefixes(view, parts)).toBe(true)
      expect(isSumOfPrefixes(other, parts)).toBe(views.includes(JSON.stringify(other)))
    }),
    { numRuns: 1_000 },
  )
})
