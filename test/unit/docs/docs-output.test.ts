import { describe, expect, test } from 'vitest'

import { blocksOf } from '../../support/docs/docs-blocks.ts'
import { matchesOutput } from '../../support/docs/docs-output.ts'

describe('the output on a page', () => {
  test.each([
    ['the same', 'one\ntwo', 'one\ntwo\n'],
    ['other ids', 'id 01a1fd6c-7920-73fe-86be-82c05b5d4617', 'id 01a1fd83-4d4f-7620-9060-44d4fae11786'],
    ['other times and durations', 'at 2026-11-21T09:25:06.999Z, 1.5 s', 'at 2027-01-01T00:00:00Z, 20 s'],
    ['another offset', 'eventstore.book:7:1', 'eventstore.book:7:12'],
    ['anything within a line', 'a … d', 'a b c d'],
    ['any lines, also none', '…\none\n…', 'one'],
    ['any lines between', 'one\n…\nfour', 'one\ntwo\nthree\nfour'],
    ['colours', 'error: no', '\u001b[31merror:\u001b[39m no'],
  ])('matches %s', (_, shown, printed) => expect(matchesOutput(shown, printed)).toBe(true))

  test.each([
    ['another word', 'one', 'two'],
    ['a line more', 'one', 'one\ntwo'],
    ['a line less', 'one\ntwo', 'one'],
    ['another partition', 'eventstore.book:7:1', 'eventstore.book:6:1'],
    ['other text around an omission', 'a … d', 'a b c'],
    ['regular expression characters, which are literal', 'a.c', 'abc'],
  ])('does not match %s', (_, shown, printed) => expect(matchesOutput(shown, printed)).toBe(false))
})

test('an info string is parsed, and an unknown attribute is reported with its place', () => {
  const page = (info: string) => blocksOf('page.md', `# Page\n\n\`\`\`${info}\ncode\n\`\`\`\n`)
  expect(page('ts file=a/b.ts')).toMatchObject([{ line: 3, language: 'ts', file: 'a/b.ts', code: 'code' }])
  expect(page('sh exit=1')).toMatchObject([{ exitCode: 1, isOutput: false }])
  expect(page('text output')).toMatchObject([{ isOutput: true, exitCode: 0 }])
  expect(page('sh not-run="it runs until stopped"')).toMatchObject([{ notRun: 'it runs until stopped' }])
  expect(() => page('sh norun="typo"')).toThrow('page.md:3: norun is not known')
})
