import fc from 'fast-check'
import { expect, test } from 'vitest'

import { LineProblem } from './imported-line.ts'
import { readLines } from './read-lines.ts'

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}
const textsOf = async (text: string | Buffer, size = 3): Promise<unknown[]> =>
  (await Array.fromAsync(readLines(inPieces(Buffer.from(text), size), 'utf-8'))).map((line) =>
    line instanceof LineProblem ? `line ${line.line}: ${line.message}` : line.text,
  )

test('lines end with LF or CRLF, the last one with the end of the file', async () => {
  expect(await textsOf('\ufeffa\r\n\nü\r\n')).toEqual(['a', '', 'ü'])
  expect(await textsOf('a\nb')).toEqual(['a', 'b'])
})

test('JSON texts in lines are read unchanged for every chunk size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.json(), { minLength: 1 }),
      fc.integer({ min: 1, max: 50 }),
      async (texts, size) => {
        expect(await textsOf(`${texts.join('\n')}\n`, size)).toEqual(texts)
      },
    ),
  )
})

test('invalid characters are reported with their line, and the next line is read', async () => {
  const bytes = Buffer.concat([Buffer.from('a\n'), Buffer.from([0xff, 0x0a]), Buffer.from('b\n')])
  expect(await textsOf(bytes)).toEqual(['a', 'line 2: not text in utf-8', 'b'])
})
