/** How a principal proved its name. `open`: access control is off. `peer`: another service of this installation. */
export type CredentialKind = 'key' | 'jwt' | 'certificate' | 'peer' | 'open'

/** Who sends a request. */
export interface Principal {
  /** 1 to 200 printable characters without white space. It becomes `metadata.userId` of appended events. */
  readonly name: string
  readonly kind: CredentialKind
  /** Names of roles. Unknown names grant nothing. */
  readonly roles: readonly string[]
  /** Id of the API key, or fingerprint of the certificate. */
  readonly credentialId?: string
  /** Milliseconds since the epoch. From then on the credential is not valid. */
  readonly expiresAtMs?: number
}
