import { randomBytes } from 'node:crypto'

import type { CertificateEntry, KeyEntry } from '#access'

import type { AccessChange } from '../access-editor.ts'

const base32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** A key whose secret nobody knows. */
export const keyEntry = (overrides: Partial<KeyEntry> = {}): KeyEntry => ({
  id: Array.from(randomBytes(16), (byte) => base32.charAt(byte % 32)).join(''),
  name: 'shop',
  roles: ['service'],
  hash: randomBytes(32).toString('hex'),
  createdAt: '2030-01-31T00:00:00.000Z',
  ...overrides,
})

export const putKey = (value: KeyEntry): AccessChange => ({ kind: 'key', name: value.id, value })

export const putRole = (name: string, includes: readonly string[] = []): AccessChange => ({
  kind: 'role',
  name,
  value: { includes, rules: [{ actions: ['read'], on: ['order.*'] }] },
})

export const putCertificate = (value: CertificateEntry): AccessChange => ({
  kind: 'certificate',
  name: value.commonName,
  value,
})
