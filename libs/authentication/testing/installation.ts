import type { AccessDocument, Caller, CertificateEntry, Credentials, KeyEntry } from '#access'

import { newApiKey, type NewApiKey } from '../api-key.ts'
import { Authenticator, type AuthenticatorOptions } from '../authenticator.ts'

/** An access document that changes, a clock, and an authenticator that reads both. */
export class Installation {
  nowMs = Date.parse('2026-03-01T00:00:00Z')
  document: AccessDocument | undefined = { roles: {}, keys: [], certificates: [] }
  readonly authenticator: Authenticator
  readonly now = (): number => this.nowMs

  constructor(options: Omit<AuthenticatorOptions, 'access' | 'now'> = {}) {
    this.authenticator = new Authenticator({ access: () => this.document, now: this.now, ...options })
  }

  change(change: Partial<AccessDocument>): void {
    this.document = { roles: {}, keys: [], certificates: [], ...this.document, ...change }
  }

  /** Adds a key and returns its text. */
  addKey(key: NewApiKey): { readonly key: string; readonly entry: KeyEntry } {
    const made = newApiKey(key, this.now)
    this.change({ keys: [...(this.document?.keys ?? []), made.entry] })
    return made
  }

  changeKey(id: string, change: Partial<KeyEntry>): void {
    const keys = this.document?.keys.map((entry) => (entry.id === id ? { ...entry, ...change } : entry))
    this.change({ keys: keys ?? [] })
  }

  addCertificate(entry: CertificateEntry): void {
    this.change({ certificates: [...(this.document?.certificates ?? []), entry] })
  }

  /** In a promise, whether authentication throws at once or later. */
  async authenticate(credentials: Partial<Credentials>): Promise<Caller> {
    return this.authenticator.authenticate({ authorization: [], peer: [], ...credentials })
  }
}
