import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import avsc from 'avsc'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { PlainAvro } from './plain-avro.ts'

const schema = readFileSync('schemas/customer/CustomerState.v1.avsc', 'utf8')
const type = avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema, { logicalTypes: {} })
const registry = createServer(({ url }, response) => {
  response.writeHead(url === '/schemas/ids/7' ? 200 : 404).end(JSON.stringify({ schema }))
})
let avro: PlainAvro

beforeAll(async () => {
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve))
  avro = new PlainAvro(`http://127.0.0.1:${(registry.address() as AddressInfo).port}`)
})
afterAll(() => void registry.close())

const encoded = (value: object, id = 7) => {
  const head = Buffer.alloc(5)
  head.writeInt32BE(id, 1)
  return Buffer.concat([head, type.toBuffer(value)])
}

test('gives dates, decimals and null in JSON form', async () => {
  const value = { purchases: 2, cds: 3, spend: Buffer.from([0x04, 0x99]), first: 9866, last: null }
  expect(await avro.decode(encoded(value))).toEqual({
    ...{ purchases: 2, cds: 3, spend: '11.77', first: '1997-01-05', last: null },
  })
})

test.each([
  ['0.00', [0x00]],
  ['0.05', [0x05]],
  ['-0.05', [0xfb]],
  ['-1.28', [0x80]],
  ['1.28', [0x00, 0x80]],
])('reads the decimal %s', async (spend, bytes) => {
  const value = { purchases: 1, cds: 1, spend: Buffer.from(bytes), first: null, last: null }
  expect(await avro.decode(encoded(value))).toMatchObject({ spend })
})

test('rejects bytes that are not in the wire format, and ids that the registry does not have', async () => {
  await expect(avro.decode(Buffer.from('text'))).rejects.toThrow('not in the Confluent wire format')
  const value = { purchases: 1, cds: 1, spend: Buffer.from([0]), first: null, last: null }
  await expect(avro.decode(encoded(value, 8))).rejects.toThrow('404 for schema 8')
})
