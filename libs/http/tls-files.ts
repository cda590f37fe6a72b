import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { open } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'

/** Paths of PEM files with which a server speaks TLS. */
export interface TlsFiles {
  /** The certificate of the server, followed by its chain. */
  readonly certFile: string
  /** Its private key, without a passphrase. */
  readonly keyFile: string
  /** Certificates of the authorities that sign client certificates. With it, clients may present one. */
  readonly clientCaFile?: string
}

/** The contents of the files. */
export interface TlsTexts {
  readonly cert: string
  readonly key: string
  readonly ca?: string
}

/** Contents that a server can use. */
export interface TlsMaterial extends TlsTexts {
  /** When the first certificate in each file expires, in milliseconds since the epoch. */
  readonly expiresAtMs: { readonly server: number; readonly 'client-ca'?: number }
}

/** A TLS file cannot be used. The message says which, why, and what is expected. */
export class TlsFileError extends Error {
  override readonly name = 'TlsFileError'
  readonly file: keyof TlsFiles
  readonly path: string
  readonly problem: string

  constructor(file: keyof TlsFiles, path: string, problem: string, options: ErrorOptions = {}) {
    super(`the TLS file ${path} ${problem}`, options)
    this.file = file
    this.path = path
    this.problem = problem
  }
}

const fileBytesMax = 1_048_576

/** @throws TlsFileError when a file cannot be read */
export async function readTlsFiles({ certFile, keyFile, clientCaFile }: TlsFiles): Promise<TlsTexts> {
  const [cert, key, ca] = await Promise.all([
    contentOf('certFile', certFile),
    contentOf('keyFile', keyFile),
    clientCaFile === undefined ? undefined : contentOf('clientCaFile', clientCaFile),
  ])
  return { cert, key, ...(ca !== undefined && { ca }) }
}

/**
 * Checks that a server can use the contents now: the certificate is valid, and the key belongs to it.
 * @throws TlsFileError that names the first problem
 */
export function checkTlsTexts(files: TlsFiles, texts: TlsTexts, now = Date.now()): TlsMaterial {
  const chain = certificatesIn('certFile', files.certFile, texts.cert)
  const [own] = chain
  checkKey(files, own, privateKeyIn(files.keyFile, texts.key))
  checkPeriod(files.certFile, own, now)
  const { ca, clientCaFile = '' } = { ...texts, ...files }
  const authorities = ca === undefined ? undefined : certificatesIn('clientCaFile', clientCaFile, ca)
  checkContext(files, texts)
  return {
    ...texts,
    expiresAtMs: {
      server: firstExpiry(chain),
      ...(authorities !== undefined && { 'client-ca': firstExpiry(authorities) }),
    },
  }
}

async function contentOf(file: keyof TlsFiles, path: string): Promise<string> {
  try {
    const handle = await open(path)
    try {
      const found = await handle.stat()
      if (!found.isFile()) throw new TlsFileError(file, path, 'is not a file')
      if (found.size > fileBytesMax) throw new TlsFileError(file, path, `has more than ${fileBytesMax} bytes`)
      return await handle.readFile('utf8')
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof TlsFileError) throw error
    throw new TlsFileError(file, path, `cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

const certificatePattern = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

function certificatesIn(
  file: keyof TlsFiles,
  path: string,
  text: string,
): readonly [X509Certificate, ...X509Certificate[]] {
  const [first, ...others] = text.match(certificatePattern) ?? []
  if (first === undefined)
    throw new TlsFileError(file, path, 'has no certificate: expected PEM, -----BEGIN CERTIFICATE-----')
  const parsed = (pem: string, index: number) => {
    try {
      return new X509Certificate(pem)
    } catch (error) {
      const problem = `is damaged: certificate ${index + 1} cannot be read (${messageOf(error)})`
      throw new TlsFileError(file, path, problem, { cause: error })
    }
  }
  return [parsed(first, 0), ...others.map((pem, index) => parsed(pem, index + 1))]
}

function privateKeyIn(path: string, text: string): KeyObject {
  try {
    return createPrivateKey(text)
  } catch (error) {
    const isEncrypted = error instanceof Error && 'code' in error && error.code === 'ERR_MISSING_PASSPHRASE'
    const problem = isEncrypted
      ? 'is encrypted: expected a private key without a passphrase, in a file that only the service can read'
      : 'has no private key: expected PEM, -----BEGIN PRIVATE KEY-----'
    throw new TlsFileError('keyFile', path, problem, { cause: error })
  }
}

function checkKey({ certFile, keyFile }: TlsFiles, own: X509Certificate, key: KeyObject): void {
  if (own.checkPrivateKey(key)) return
  throw new TlsFileError(
    'keyFile',
    keyFile,
    `does not belong to the first certificate in ${certFile}: expected the server's own certificate there, then its chain`,
  )
}

function checkPeriod(path: string, { validFromDate, validToDate }: X509Certificate, now: number): void {
  if (validToDate.getTime() <= now)
    throw new TlsFileError('certFile', path, `expired at ${validToDate.toISOString()}: renew it`)
  if (validFromDate.getTime() > now) {
    const problem = `is not valid before ${validFromDate.toISOString()}: check the clock of this machine`
    throw new TlsFileError('certFile', path, problem)
  }
}

/** What OpenSSL alone can find, e.g. a key that is too short for it. */
function checkContext({ certFile }: TlsFiles, texts: TlsTexts): void {
  try {
    createSecureContext({ ...texts, minVersion })
  } catch (error) {
    throw new TlsFileError('certFile', certFile, `cannot be used: ${messageOf(error)}`, { cause: error })
  }
}

/** Versions before it are broken. */
export const minVersion = 'TLSv1.2'

const firstExpiry = (certificates: readonly X509Certificate[]): number =>
  Math.min(...certificates.map(({ validToDate }) => validToDate.getTime()))

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
