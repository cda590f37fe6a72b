import { expect, test } from 'vitest'

import { draftOfJson } from './read-json-lines.ts'

const nested = (levels: number) => `${'['.repeat(levels)}1${']'.repeat(levels)}`

test('rejects a line that is nested too deep', () => {
  const line = (data: string) => `{"streamId":"order.1","type":"OrderPlaced","data":${data}}`
  expect(draftOfJson(line(nested(90)))).toMatchObject({ streamId: 'order.1' })
  expect(() => draftOfJson(line(nested(20_000)))).toThrow('the line is nested deeper than 100 levels')
})
