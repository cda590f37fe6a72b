import { readFileSync } from 'node:fs'

import { type Config, ConfigError } from '#config'

/** How connections to other services are checked, if they use TLS. */
export interface PeerTls {
  /** Certificates of the authorities that sign theirs (PEM). */
  readonly ca: string
}

const fileBytesMax = 1_048_576

/**
 * The certificates of ANNALS_PEER_CA_FILE, as the file is now. Undefined: those built into Node.js are trusted.
 * @throws ConfigError if the file cannot be read, or has no certificates
 */
export function peerTls({ tls: { peerCaFile } }: Pick<Config, 'tls'>): PeerTls | undefined {
  if (peerCaFile === undefined) return undefined
  const ca = contentOf(peerCaFile)
  if (ca.length > fileBytesMax) refuse(peerCaFile, `has more than ${fileBytesMax} bytes`)
  if (!ca.includes('-----BEGIN CERTIFICATE-----')) refuse(peerCaFile, 'has no certificate: expected PEM')
  return { ca }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    return refuse(path, `cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const refuse = (path: string, problem: string): never => {
  throw new ConfigError([{ key: 'ANNALS_PEER_CA_FILE', value: path, problem }])
}
