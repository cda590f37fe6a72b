import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { summaryLine, tallyVitest, total } from './tally.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'annals-tally-'))
  file = join(folder, 'vitest.json')
})
afterEach(() => rmSync(folder, { recursive: true }))

function report(testResults: object[], counts: object = {}): void {
  const none = { numPassedTests: 0, numPendingTests: 0, numTodoTests: 0 }
  writeFileSync(file, JSON.stringify({ ...none, ...counts, testResults }))
}

const broken = { fullName: 'adds up', status: 'failed' }

test('passed, skipped and failed tests are counted as vitest reports them', () => {
  report([{ name: 'a.test.ts', status: 'failed', assertionResults: [broken] }], {
    numPassedTests: 7,
    numPendingTests: 1,
    numTodoTests: 1,
  })
  const tally = tallyVitest(file, 1)
  expect(tally).toEqual({ passed: 7, skipped: 2, failures: ['a.test.ts: adds up'] })
  expect(summaryLine(tally)).toBe('7 passed, 1 failed, 2 skipped')
})

test('a file that could not be loaded counts as a failure although none of its tests failed', () => {
  report([{ name: 'b.test.ts', status: 'failed', assertionResults: [] }], { numPassedTests: 3 })
  expect(tallyVitest(file, 1).failures).toEqual(['b.test.ts: the file failed'])
})

test('a failed run without a failed test counts as one failure', () => {
  report([], { numPassedTests: 3 })
  expect(tallyVitest(file, 0).failures).toEqual([])
  expect(tallyVitest(file, 1).failures).toHaveLength(1)
})

test('a run without a report, or with an incomplete one, counts as one failure, whatever its exit code', () => {
  expect(tallyVitest(file, 0).failures).toHaveLength(1)
  writeFileSync(file, '{"numPassedTests": 3, "testRes')
  expect(tallyVitest(file, 0).failures).toHaveLength(1)
})

test('a total adds tallies up and omits what is zero', () => {
  const sum = total([
    { passed: 1, skipped: 0, failures: [] },
    { passed: 2, skipped: 0, failures: ['lint'] },
  ])
  expect(summaryLine(sum)).toBe('3 passed, 1 failed')
})
