import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { type CryptoKey, exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose'

/** How the server of keys behaves. `slow` never answers; `dripping` never ends its answer. */
export type IssuerMood =
  | 'well'
  | 'slow'
  | 'dripping'
  | 'failing'
  | 'redirecting'
  | 'empty'
  | 'encryption only'
  | 'shared secrets'
  | 'not a key set'
  | 'not JSON'
  | '10 MB'

interface SigningKey {
  readonly kid: string
  readonly algorithm: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}

/** Undefined: the token does not say which key has signed it. */
interface TokenHeader {
  readonly kid?: string | undefined
}

/** An issuer of JSON Web Tokens with a real HTTP server for its public keys. */
export class TokenIssuer {
  readonly issuer = 'https://issuer.example'
  readonly audience = 'annals'
  mood: IssuerMood = 'well'
  /** How often keys were asked for. */
  requests = 0
  readonly #server = createServer((_, response) => {
    this.requests++
    void this.#answer(response)
  })
  #keys: SigningKey[] = []
  #port = 0

  static async start(algorithm = 'ES256'): Promise<TokenIssuer> {
    const issuer = new TokenIssuer()
    await issuer.rotate(algorithm)
    await issuer.listen()
    return issuer
  }

  get jwksUrl(): string {
    return `http://127.0.0.1:${this.#port}/keys`
  }

  /** At the same port after the first time. */
  async listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** From now on nobody listens at the URL of the keys. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** Publishes one more key, which signs from now on. */
  async rotate(algorithm = 'ES256'): Promise<void> {
    const pair = await generateKeyPair(algorithm, { extractable: true })
    this.#keys.push({ kid: `key-${this.#keys.length + 1}`, algorithm, ...pair })
  }

  /** Publishes only the newest key. */
  withdrawOldKeys(): void {
    this.#keys = this.#keys.slice(-1)
  }

  /** A token of this issuer, valid from the time for five minutes. Claims that are undefined are left out. */
  async token(
    claims: Readonly<Record<string, unknown>>,
    nowMs: number,
    header: TokenHeader = {},
  ): Promise<string> {
    const { kid, algorithm, privateKey } = this.#newest()
    const issuedAt = Math.floor(nowMs / 1000)
    const all = { iss: this.issuer, aud: this.audience, iat: issuedAt, exp: issuedAt + 300, ...claims }
    return new SignJWT(all)
      .setProtectedHeader(withoutUndefined({ alg: algorithm, kid, typ: 'JWT', ...header }))
      .sign(privateKey)
  }

  async publicKeys(): Promise<JSONWebKeySet> {
    const keys = this.#keys.map(async ({ kid, algorithm, publicKey }) => ({
      ...(await exportJWK(publicKey)),
      kid,
      alg: algorithm,
      use: 'sig',
    }))
    return { keys: await Promise.all(keys) }
  }

  #newest(): SigningKey {
    const key = this.#keys.at(-1)
    if (key === undefined) throw new Error('the issuer has no key')
    return key
  }

  async #answer(response: ServerResponse): Promise<void> {
    const keySet = await this.publicKeys()
    switch (this.mood) {
      case 'slow':
        return
      case 'dripping':
        response.write('{"keys":')
        return
      case 'failing':
        response.writeHead(500).end('{}')
        return
      case 'redirecting':
        response.writeHead(302, { location: this.jwksUrl }).end(JSON.stringify(keySet))
        return
      case 'well':
      case 'empty':
      case 'encryption only':
      case 'shared secrets':
      case 'not a key set':
      case 'not JSON':
      case '10 MB':
        response.end(bodyFor(this.mood, keySet))
    }
  }
}

/** As JSON does it. */
const withoutUndefined = <Header extends { kid?: string | undefined }>({ kid, ...rest }: Header) =>
  kid === undefined ? rest : { ...rest, kid }

function bodyFor(mood: IssuerMood, keySet: JSONWebKeySet): string {
  switch (mood) {
    case 'empty':
      return '{"keys":[]}'
    case 'encryption only':
      return JSON.stringify({ keys: keySet.keys.map((key) => ({ ...key, use: 'enc' })) })
    case 'shared secrets':
      return JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: 'key-1' }] })
    case 'not a key set':
      return '{"keys":{"0":1}}'
    case 'not JSON':
      return '<html>'
    case '10 MB':
      return JSON.stringify({ ...keySet, padding: 'x'.repeat(10_485_760) })
    default:
      return JSON.stringify(keySet)
  }
}
