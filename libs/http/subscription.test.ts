import { expect, test } from 'vitest'

import { batchEvents, sharedJson } from './subscription.ts'

const toEvent = (id: string) => ({ id, event: 'event', data: '{}' })

test('a batch is sent item by item, and a batch without items reports progress', () => {
  expect([...batchEvents(['1', '2'], '2', toEvent)]).toEqual([toEvent('1'), toEvent('2')])
  expect([...batchEvents([], '7', toEvent)]).toEqual([{ id: '7', event: 'progress', data: '{}' }])
})

test('an object that several subscribers receive is formatted once', () => {
  let formatted = 0
  const textOf = sharedJson((item: { readonly n: number }) => ({ n: item.n, formatted: ++formatted }))
  const item = { n: 1 }
  expect([textOf(item), textOf(item)]).toEqual(['{"n":1,"formatted":1}', '{"n":1,"formatted":1}'])
  expect(textOf({ n: 1 })).toBe('{"n":1,"formatted":2}')
})
