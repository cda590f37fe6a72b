import { randomBytes } from 'node:crypto'

import { type AccessDocument, type CertificateEntry, type KeyEntry, type Rights, RightsTable } from '#access'

const hashBytes = 32

/** A hash that no secret has: what unknown keys are compared with. */
export const noHash: Buffer = randomBytes(hashBytes)

/** A key as authentication needs it. */
export interface KnownKey {
  readonly entry: KeyEntry
  readonly hash: Buffer
  readonly expiresAtMs: number | undefined
}

/** One access document, prepared for lookups. A change of access makes another one. */
export class AccessIndex {
  readonly document: AccessDocument
  readonly #rights: RightsTable
  readonly #keys: ReadonlyMap<string, KnownKey>
  readonly #certificates: ReadonlyMap<string, CertificateEntry>

  constructor(document: AccessDocument) {
    this.document = document
    this.#rights = new RightsTable(document.roles)
    this.#keys = new Map(document.keys.map((entry) => [entry.id, known(entry)]))
    this.#certificates = new Map(document.certificates.map((entry) => [entry.commonName, entry]))
  }

  rightsOf(roles: readonly string[], name: string): Rights {
    return this.#rights.of(roles, name)
  }

  key(id: string): KnownKey | undefined {
    return this.#keys.get(id)
  }

  certificate(commonName: string): CertificateEntry | undefined {
    return this.#certificates.get(commonName)
  }

  /** The certificates of a principal. */
  certificatesOf(name: string): readonly CertificateEntry[] {
    return this.document.certificates.filter((entry) => entry.name === name)
  }
}

function known(entry: KeyEntry): KnownKey {
  const hash = Buffer.from(entry.hash, 'hex')
  return {
    entry,
    // A document is checked before it comes here. Should it not have been, such a key admits nobody.
    hash: hash.length === hashBytes ? hash : noHash,
    expiresAtMs: entry.expiresAt === undefined ? undefined : msOf(entry.expiresAt),
  }
}

/** A malformed time has passed. */
function msOf(time: string): number {
  const ms = Date.parse(time)
  return Number.isNaN(ms) ? 0 : ms
}
