import type { Principal } from './principal.ts'
import type { Rights } from './rights.ts'

/** What a request says about its sender, not yet checked. Lists, because a header may be sent twice. */
export interface Credentials {
  /** Values of the header `authorization`. */
  readonly authorization: readonly string[]
  /** Values of the header `annals-peer`: the token of a peer. */
  readonly peer: readonly string[]
  /** The client certificate, if TLS has verified one. */
  readonly certificate?: ClientCertificate
}

export interface ClientCertificate {
  readonly commonName: string
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number
}

/** The sender of a request, after its credentials have been checked. */
export interface Caller {
  readonly principal: Principal
  readonly rights: Rights
  /** Whether a peer has forwarded the request in the name of the principal. */
  readonly isForwarded: boolean
  /** Why the credential or the rights with which a stream was opened no longer hold; undefined while they do. Cheap. */
  ended(): string | undefined
}
