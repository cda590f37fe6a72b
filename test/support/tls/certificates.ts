import './reflect-metadata.ts'

import { webcrypto } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'

import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  type Extension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** A certificate and its private key (PKCS #8), in PEM. */
export interface Certified {
  readonly cert: string
  readonly key: string
}

interface Validity {
  /** Default: an hour ago. */
  readonly validFrom?: Date
  /** Default: in a day. */
  readonly validUntil?: Date
}

interface ServerOptions extends Validity {
  /** DNS names and IP addresses; default: those of this machine. */
  readonly names?: readonly string[]
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const hourMs = 3_600_000

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])

/** A certificate authority of its own, for tests. It signs certificates of servers and clients with keys of the curve P-256. */
export class CertificateAuthority {
  /** Its own certificate, in PEM: what others must trust. */
  readonly cert: string
  readonly #name: string
  readonly #keys: webcrypto.CryptoKeyPair

  private constructor(cert: string, name: string, keys: webcrypto.CryptoKeyPair) {
    this.cert = cert
    this.#name = name
    this.#keys = keys
  }

  /** @param commonName without characters that have a meaning in distinguished names */
  static async create(commonName = 'Annals test authority'): Promise<CertificateAuthority> {
    const [name, keys] = [`CN=${commonName}`, await newKeys()]
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name,
      keys,
      signingAlgorithm: algorithm,
      ...validity({}),
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    })
    return new CertificateAuthority(certificate.toString('pem'), name, keys)
  }

  /** A certificate for a server. Its common name is its first name. */
  server({ names = ['localhost', '127.0.0.1', '::1'], ...validFor }: ServerOptions = {}): Promise<Certified> {
    const alternatives = names.map((value) => ({
      type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const),
      value,
    }))
    return this.#sign(names[0] ?? 'server', validFor, [
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension(alternatives),
    ])
  }

  /** A certificate with which a client logs in. */
  client(commonName: string, validFor: Validity = {}): Promise<Certified> {
    return this.#sign(commonName, validFor, [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])])
  }

  async #sign(commonName: string, validFor: Validity, extensions: Extension[]): Promise<Certified> {
    const keys = await newKeys()
    const certificate = await X509CertificateGenerator.create({
      subject: `CN=${commonName}`,
      issuer: this.#name,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithm,
      ...validity(validFor),
      extensions: [
        new BasicConstraintsExtension(false),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
        await AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
        ...extensions,
      ],
    })
    return { cert: certificate.toString('pem'), key: await privateKeyOf(keys) }
  }
}

/** Writes a certificate and its key (mode 0600) as `<name>.crt` and `<name>.key`. */
export async function writeCertified(
  folder: string,
  name: string,
  { cert, key }: Certified,
): Promise<{ readonly certFile: string; readonly keyFile: string }> {
  const [certFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
  await writeFile(certFile, cert)
  await writeFile(keyFile, key, { mode: 0o600 })
  return { certFile, keyFile }
}

const validity = ({ validFrom, validUntil }: Validity) => ({
  notBefore: validFrom ?? new Date(Date.now() - hourMs),
  notAfter: validUntil ?? new Date(Date.now() + 24 * hourMs),
})

const privateKeyOf = async ({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> =>
  PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', privateKey), PemConverter.PrivateKeyTag)
