import { createSecureContext } from 'node:tls'

import { buildConnector } from 'undici'

import { InvalidInputError } from '#domain'

/** One or more certificates or a key, as PEM. */
type Pem = string | Buffer

export interface ClientTlsOptions {
  /** Certificates of the authorities to trust; default: those built into Node.js. */
  readonly ca?: Pem
  /** The client certificate with its chain. */
  readonly cert?: Pem
  /** The private key of the client certificate. */
  readonly key?: Pem
}

/** Errors of connections that were never established. */
const unconnected = new WeakSet<Error>()

/** Whether a request failed because there was no connection: it was not sent. After any other error, that is unknown. */
export const wasNeverSent = (error: unknown): boolean =>
  error instanceof Error && (unconnected.has(error) || isClosedPool(error))

/** The pool was closed before the request had a connection. */
const isClosedPool = (error: Error): boolean => 'code' in error && error.code === 'UND_ERR_CLOSED'

/**
 * Opens connections for an agent.
 * @throws InvalidInputError when a certificate or the key is malformed
 */
export function connectorOf(tls: ClientTlsOptions | undefined, timeoutMs: number): buildConnector.connector {
  if (tls !== undefined) checkTls(tls)
  const connect = buildConnector({ timeout: timeoutMs, allowH2: false, minVersion: 'TLSv1.2', ...tls })
  return (options, callback) => {
    connect(options, (...outcome) => {
      if (outcome[0] !== null) unconnected.add(outcome[0])
      callback(...outcome)
    })
  }
}

function checkTls({ ca, cert, key }: ClientTlsOptions): void {
  if ((cert === undefined) !== (key === undefined))
    throw new InvalidInputError('tls', 'tls has only one of cert and key: give both, or none of them')
  for (const [name, pem] of [
    ['ca', ca],
    ['cert', cert],
  ] as const) {
    if (pem !== undefined && !pem.includes('-----BEGIN CERTIFICATE-----'))
      throw new InvalidInputError(`tls.${name}`, `tls.${name} has no certificate: expected PEM`)
  }
  try {
    createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new InvalidInputError('tls', `tls cannot be used: ${reason}`)
  }
}

const untrusted =
  'its certificate is not signed by an authority that this client trusts: give the certificate of the authority (tls.ca; ANNALS_CA_FILE of the command line)'

const problems: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: check the clock of this machine',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for other names than the one in the URL',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS: does its URL begin with http://?',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS: does its URL begin with http://?',
}

/** What is wrong with the certificate of a server, or why a handshake failed; undefined for other errors. */
export function tlsProblemOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code !== 'string') return undefined
  return problems[code] ?? (code.startsWith('ERR_SSL_') ? `the TLS handshake failed (${code})` : undefined)
}
