import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { peerTls } from './peer-tls.ts'

function fileOf(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'annals-peer-ca-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'ca.pem')
  writeFileSync(path, content)
  return path
}

test('certificates are read from the file; without one, there are none', () => {
  const pem = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n'
  expect(peerTls({ tls: { peerCaFile: fileOf(pem) } })).toEqual({ ca: pem })
  expect(peerTls({ tls: {} })).toBeUndefined()
})

test.each([
  ['missing', () => '/no/such/file', 'cannot be read'],
  ['without certificates', () => fileOf('-----BEGIN PRIVATE KEY-----'), 'has no certificate'],
  ['far too large', () => fileOf('x'.repeat(1_100_000)), 'has more than 1048576 bytes'],
])('a file that is %s is named', (_, path, problem) => {
  expect(() => peerTls({ tls: { peerCaFile: path() } })).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(new RegExp(`ANNALS_PEER_CA_FILE.*${problem}`, 's')) as string,
    }),
  )
})
