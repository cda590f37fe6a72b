import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { claimPort } from './port-claims.ts'

// Beyond the ports that are ever assigned.
const port = 60_000 + (process.pid % 5_000)
const module = new URL('port-claims.ts', import.meta.url).href
const claimedElsewhere = (): string => {
  const script = `import { claimPort } from '${module}'; console.log(claimPort(${port}))`
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  }).stdout.trim()
}

test('a claimed port is reserved while its process lives, and free afterwards', () => {
  onTestFinished(() => rmSync(join(tmpdir(), 'annals-ports', String(port)), { force: true }))
  expect(claimedElsewhere()).toBe('true')
  expect(claimPort(port)).toBe(true)
  expect(claimPort(port)).toBe(false)
  expect(claimedElsewhere()).toBe('false')
})
