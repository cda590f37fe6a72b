import fc from 'fast-check'
import { expect, test } from 'vitest'

import { literalPattern } from './literal-pattern.ts'
import { templateOf } from './template.ts'

const valuesOf = (template: string, text: string) => {
  const found = templateOf(template).match(text)
  return found && [...found.values()]
}

test.each([
  ['customer.{id}', 'customer.7', ['7']],
  ['customer.{id}', 'customer.', undefined],
  ['customer.{id}', 'order.7', undefined],
  ['{a}-{b}', 'x-y-z', ['x', 'y-z']],
  ['{a}{b}', 'xyz', ['x', 'yz']],
  ['{a}{b}', 'x', undefined],
  ['{a}.{b}!', 'a.b!!', ['a', 'b!']],
  ['fixed', 'fixed', []],
  ['fixed', 'fixed!', undefined],
])('%s and %s: %j', (template, text, values) => {
  expect(valuesOf(template, text)).toEqual(values)
})

test('matches like a regular expression with lazy groups', () => {
  const texts = fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 2 }), {
    minLength: 1,
    maxLength: 5,
  })
  fc.assert(
    fc.property(texts, fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 12 }), (parts, text) => {
      const template = parts.map((part, index) => (index === 0 ? part : `{c${index}}${part}`)).join('')
      const expression = new RegExp(`^${parts.map(literalPattern).join('(.+?)')}$`, 's')
      expect(valuesOf(template, text)).toEqual(expression.exec(text)?.slice(1))
    }),
    { numRuns: 2_000 },
  )
})

test('many columns in a long text are matched fast', () => {
  const template = `${Array.from({ length: 12 }, (_, index) => `{c${index}}a`).join('')}!`
  const before = process.cpuUsage()
  expect(valuesOf(template, 'a'.repeat(2_000))).toBeUndefined()
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(1_000)
})
