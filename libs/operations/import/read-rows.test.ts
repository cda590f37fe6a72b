import { createReadStream, readFileSync } from 'node:fs'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { LineProblem } from './imported-line.ts'
import { ImportMapping, readMapping } from './mapping.ts'
import { readRows } from './read-rows.ts'

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}
const mappingOf = (changes: object = {}) =>
  new ImportMapping({ stream: 's.{a}', type: 'T', data: { b: { column: 'b' } }, ...changes }, 'm.json')

/** Rows as `line: a|b`, problems as `line! message`. */
async function read(text: string | Buffer, changes: object = {}, size = 5): Promise<string[]> {
  const rows = await Array.fromAsync(readRows(inPieces(Buffer.from(text), size), 'f.csv', mappingOf(changes)))
  return rows.map((row) =>
    row instanceof LineProblem
      ? `${row.line}! ${row.message}`
      : `${row.line}: ${[...row.row.values()].join('|')}`,
  )
}

describe('the lines of a table', () => {
  test.each([
    ['LF', 'a,b\n1,x\n\n2,y\n'],
    ['CRLF', 'a,b\r\n1,x\r\n\r\n2,y\r\n'],
    ['LF after the header, then CRLF', 'a,b\n1,x\r\n\r\n2,y\r\n'],
    ['CRLF after the header, then LF', 'a,b\r\n1,x\n\n2,y\n'],
    ['no end after the last, and a mark before the first', '\ufeffa,b\n1,x\n\r\n2,y'],
  ])('may end with %s', async (_, text) => {
    expect(await read(text)).toEqual(['2: 1|x', '4: 2|y'])
  })

  test('keep newlines and byte order marks within values', async () => {
    expect(await read('a,b\r\n1,"x\r\n\ny"\r\n\ufeff2,z\r\n')).toEqual(['2: 1|x\r\n\ny', '5: \ufeff2|z'])
  })

  test('that end with CR alone are rejected, and so is a CR in an unquoted value', async () => {
    await expect(read('a,b\r1,x\r')).rejects.toThrow('f.csv: line 1, the header: contains a carriage')
    expect(await read('a,b\n1,x\ry\n2,y\n')).toEqual([
      expect.stringMatching(/^2! contains a carriage/),
      '3: 2|y',
    ])
  })

  test('of a file that ends inside a character are problems', async () => {
    const cut = Buffer.from('a,b\n1,x\n2,caf\u00e9').subarray(0, -1)
    expect(await read(cut)).toEqual([
      '2: 1|x',
      '3! not text in utf-8: the file ends inside a character, so it is truncated',
    ])
  })

  test('that are not in the encoding are reported one by one', async () => {
    const bytes = Buffer.concat([Buffer.from('a,b\n1,x\n2,'), Buffer.from([0xe9]), Buffer.from('\n3,z\n')])
    expect(await read(bytes)).toEqual(['2: 1|x', '3! not text in utf-8', '4: 3|z'])
    expect(await read(bytes, { encoding: 'windows-1252' })).toEqual(['2: 1|x', '3: 2|\u00e9', '4: 3|z'])
  })

  test('may be in UTF-16', async () => {
    // U+0A0D and U+0D0A are characters whose bytes look like ends of lines.
    const bytes = Buffer.from('\ufeffa,b\r\n1,\u0a0d\u0d0a\r\n2,y\r\n', 'utf16le')
    expect(await read(bytes, { encoding: 'utf-16le' })).toEqual(['2: 1|\u0a0d\u0d0a', '3: 2|y'])
    expect(await read(bytes.subarray(0, -1), { encoding: 'utf-16le' })).toContainEqual(
      expect.stringContaining('not text in utf-16le'),
    )
  })
})

describe('a stray quote', () => {
  test.each([
    ['within a value', '2,5" pipe'],
    ['that opens a value', '2,"pipe'],
    ['after a value', '2,"pipe" 5'],
    ['twice within a value', '2,5" by 6"'],
  ])('%s makes one line wrong, and no other line is lost', async (_, stray) => {
    expect(await read(`a,b\r\n1,x\r\n${stray}\r\n3,z\r\n4,"w\r\nw"\r\n`)).toEqual([
      '2: 1|x',
      expect.stringMatching(/^3! .*quote/),
      '4: 3|z',
      '5: 4|w\r\nw',
    ])
  })

  test('in each of several lines makes each of them wrong', async () => {
    expect(await read('a,b\n1,5" x\n2,"y\n3,z\n4,6" w\n5,v\n')).toEqual([
      expect.stringMatching(/^2! /),
      expect.stringMatching(/^3! /),
      '4: 3|z',
      expect.stringMatching(/^5! a quote is opened here/),
      '6: 5|v',
    ])
  })

  test('is reported with how to quote a value', async () => {
    const [problem = ''] = await read('a,b\n1,5" pipe\n')
    expect(problem).toMatch(/enclosed in quotes, and each quote in it is doubled: "5"" pipe"$/)
    expect(await read('a,b\n1,"5"" pipe"\n')).toEqual(['2: 1|5" pipe'])
  })
})

test('tables in the format of RFC 4180 are read unchanged for every chunk size', async () => {
  const value = fc.string({ unit: fc.constantFrom('x', '"', ',', '\n', '\r', ' ', '\u00e9'), maxLength: 6 })
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(value, value), { minLength: 1 }),
      fc.integer({ min: 1, max: 20 }),
      fc.constantFrom('\n', '\r\n'),
      async (rows, size, end) => {
        const text = [['a', 'b'], ...rows].map((row) => row.map(quoted).join(',') + end).join('')
        const found = await read(text, {}, size)
        expect(found.map((row) => row.replace(/^\d+: /, ''))).toEqual(rows.map((row) => row.join('|')))
      },
    ),
  )
})

describe('the columns of a table', () => {
  test('that a mapping uses must exist once', async () => {
    await expect(read('a,b,b\n1,x,y\n')).rejects.toThrow(
      'f.csv has 2 columns b, which m.json uses in data.b: its columns are a, b, b',
    )
    await expect(read('a,c\n1,x\n')).rejects.toThrow('f.csv has no column b, which m.json uses in data.b')
    expect(await read('a,b,,\n1,x,,\n')).toEqual(['2: 1|x|'])
  })

  test('are named by a header, which must exist and be valid', async () => {
    await expect(read('')).rejects.toThrow('f.csv is empty')
    await expect(read('a,"b\n1,x\n')).rejects.toThrow('f.csv: line 1, the header: a quote is opened')
  })
})

describe('files that an earlier version imported without an error', () => {
  const rowsOf = async (file: string) =>
    Array.fromAsync(
      readRows(createReadStream(`test/cases/${file}`), file, await readMapping('test/cases/map.json')),
    )

  test('truncated-utf8.csv', async () => {
    expect(readFileSync('test/cases/truncated-utf8.csv').at(-1)).toBe(0xc3)
    expect(await rowsOf('truncated-utf8.csv')).toMatchObject([
      { line: 2, message: expect.stringContaining('ends inside a character') as string },
    ])
  })

  test('duplicate-header.csv', async () => {
    await expect(rowsOf('duplicate-header.csv')).rejects.toThrow('has 2 columns name, which ')
  })
})
