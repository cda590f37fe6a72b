import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { UsedTokens } from './used-tokens.ts'

/** Tokens with the time until they expire, and steps of the clock between them. */
const uses = fc.array(
  fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
    lifetimeMs: fc.integer({ min: 1, max: 36_000 }),
    stepMs: fc.integer({ min: 0, max: 12_000 }),
  }),
  { maxLength: 200 },
)

describe('used tokens', () => {
  test('an unexpired one is never new again, however many are used', () => {
    fc.assert(
      fc.property(uses, fc.integer({ min: 1, max: 5 }), (steps, countMax) => {
        let nowMs = 1_000_000
        const used = new UsedTokens(countMax, () => nowMs)
        const expiryOf = new Map<string, number>()
        for (const { id, lifetimeMs, stepMs } of steps) {
          nowMs += stepMs
          const known = expiryOf.get(id)
          // The expiry is signed: the same token always has the same.
          const expiresAtMs = known !== undefined && known > nowMs ? known : nowMs + lifetimeMs
          const outcome = used.use(id, expiresAtMs)
          if (known === expiresAtMs) expect(outcome).toBe('used')
          else if (outcome === 'new') expiryOf.set(id, expiresAtMs)
          expect(used.count).toBeLessThanOrEqual(countMax)
        }
      }),
    )
  })

  test('places become free when tokens have expired', () => {
    let nowMs = 0
    const used = new UsedTokens(2, () => nowMs)
    expect(used.use('a', 30_000)).toBe('new')
    expect(used.use('b', 31_000)).toBe('new')
    expect(used.use('c', 32_000)).toBe('full')
    nowMs = 29_999
    expect(used.use('d', 59_999)).toBe('full')
    expect(used.use('a', 30_000)).toBe('used')
    nowMs = 30_000
    expect(used.use('d', 60_000)).toBe('new')
    expect(used.count).toBe(2)
  })
})
