import { expect, test } from 'vitest'

import { draftOfJson } from './import/read-json-lines.ts'
import { parseJson } from './parse-json.ts'

const nested = (levels: number) => `${'['.repeat(levels)}1${']'.repeat(levels)}`

test('takes what a server takes', () => {
  expect(parseJson('{"a":[1]}')).toEqual({ a: [1] })
  expect(() => parseJson('{"a')).toThrow('is not JSON: ')
  expect(() => parseJson(nested(101))).toThrow('is nested deeper than 100 levels')
  expect(() => parseJson(nested(200_000))).toThrow('is nested deeper than 100 levels')
  expect(() => parseJson(`[${'1,'.repeat(600_000)}1]`)).toThrow('has more than 500000 values')
})

test('a byte order mark before the JSON is no part of it', () => {
  expect(parseJson('\uFEFF{"a":1}')).toEqual({ a: 1 })
  expect(() => parseJson('{"a":\uFEFF1}')).toThrow('is not JSON: ')
})

test('an imported line that is nested too deep is refused by name', () => {
  const line = (data: string) => `{"streamId":"order.1","type":"OrderPlaced","data":${data}}`
  expect(draftOfJson(line(nested(90)))).toMatchObject({ streamId: 'order.1' })
  expect(() => draftOfJson(line(nested(20_000)))).toThrow('the line is nested deeper than 100 levels')
})
