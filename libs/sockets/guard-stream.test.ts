import { PassThrough } from 'node:stream'

import { expect, test } from 'vitest'

import { guardStream } from './guard-stream.ts'

test('an error that a listener throws becomes an error of the stream, and the stream is destroyed', async () => {
  const stream = guardStream(new PassThrough())
  const failed = new Promise((resolve) => stream.on('error', resolve))
  stream.on('data', () => {
    throw new RangeError('beyond the bytes')
  })
  stream.write('garbage')
  expect(await failed).toEqual(new RangeError('beyond the bytes'))
  expect(stream.destroyed).toBe(true)
})

test('data that listeners accept passes unchanged', async () => {
  const stream = guardStream(new PassThrough())
  stream.end('all of it')
  expect(Buffer.concat(await stream.toArray()).toString()).toBe('all of it')
})
