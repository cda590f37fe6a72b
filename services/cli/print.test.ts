import { spawnSync } from 'node:child_process'
import { openSync } from 'node:fs'

import { expect, test, vi } from 'vitest'

import { repository } from '../../scripts/stack/index.ts'
import { printReport } from './print.ts'

test.skipIf(process.platform !== 'linux')(
  'a full disk behind standard output is reported in one line',
  () => {
    const full = openSync('/dev/full', 'w')
    const { status, stderr } = spawnSync(process.execPath, ['services/cli/main.ts', 'version'], {
      cwd: repository,
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(
        /^error: standard output cannot be written: .*ENOSPC.*is missing\n$/,
      ) as string,
    })
  },
)

test('control characters in the text of a report are escaped; the JSON document is unchanged', () => {
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  const report = { document: { key: '\u001b[2J' }, text: 'key \u001b[2J' }
  printReport(report, false)
  printReport(report, true)
  expect(printed.mock.calls).toEqual([['key \\u001b[2J'], ['{"key":"\\u001b[2J"}']])
  printed.mockRestore()
})
