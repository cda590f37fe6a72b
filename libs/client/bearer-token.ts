import { deadlineIn, within } from '#async'
import { InvalidInputError } from '#domain'
import { EventStoreError } from '#event-store'

/** An API key or a JSON Web Token, or a function that returns the current one. */
type Token = string | (() => string | Promise<string>)

export interface TokenOptions {
  /**
   * An API key or a JSON Web Token, sent with every request; a function returns the current one, and is called for every try. It is sent
   * over HTTPS, and to loopback addresses.
   */
  readonly token?: Token
  /** Sends the token over plain HTTP too, where anyone on the way can read it: for networks that are encrypted by other means. */
  readonly allowPlainHttp?: boolean
  /** Headers for every request. `authorization` is treated like a token. */
  readonly headers?: Readonly<Record<string, string>>
}

type Headers = Readonly<Record<string, string>>

const noHeaders: Headers = {}

/** The credential of a client. It appears in no error. */
export class BearerToken {
  readonly #token: (() => string | Promise<string>) | undefined
  readonly #fixed: Headers
  readonly #isSecret: boolean
  readonly #allowPlainHttp: boolean
  readonly #timeoutMs: number

  /**
   * @param timeoutMs how long the function may take
   * @throws InvalidInputError when the token is malformed, or there is a second credential in the headers
   */
  constructor({ token, allowPlainHttp = false, headers = {} }: TokenOptions, timeoutMs: number) {
    const isInHeaders = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')
    if (token !== undefined && isInHeaders)
      throw new InvalidInputError(
        'headers',
        'headers contains authorization, and token is given too: omit one',
      )
    if (typeof token === 'string' && !isSendable(token))
      throw new InvalidInputError('token', `token ${malformed}`)
    this.#token = typeof token === 'function' ? token : undefined
    this.#fixed = typeof token === 'string' ? bearer(token) : noHeaders
    this.#isSecret = token !== undefined || isInHeaders
    this.#allowPlainHttp = allowPlainHttp
    this.#timeoutMs = timeoutMs
  }

  /** Whether a request to the URL would show the token to everyone on the way. */
  isExposedBy(url: URL): boolean {
    return this.#isSecret && !this.#allowPlainHttp && url.protocol !== 'https:' && !isLoopback(url.hostname)
  }

  /** Header fields with the token, for one request. @throws EventStoreError when it must not be sent, or cannot be obtained */
  headers(url: URL): Headers | Promise<Headers> {
    if (this.isExposedBy(url)) throw new EventStoreError('invalid-request', exposed(url))
    return this.#token === undefined ? this.#fixed : this.#current(this.#token)
  }

  async #current(token: () => string | Promise<string>): Promise<Headers> {
    const timeoutMs = this.#timeoutMs
    const late = () => new EventStoreError('unavailable', `the function token took more than ${timeoutMs} ms`)
    const obtain = async (): Promise<unknown> => token()
    const current = await within(deadlineIn(timeoutMs), obtain(), late).catch(notObtained)
    if (typeof current === 'string' && isSendable(current)) return bearer(current)
    throw new EventStoreError('unauthenticated', `the function token returned a token that ${malformed}`)
  }
}

const malformed = 'is empty, or contains white space or other characters that a header cannot have'

/** Visible ASCII characters. */
const isSendable = (token: string): boolean => /^[\x21-\x7e]+$/.test(token)

const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })

/** The message of the error may contain the token. */
function notObtained(error: unknown): never {
  if (error instanceof EventStoreError) throw error
  throw new EventStoreError('unavailable', 'the function token failed', {}, { cause: error })
}

/** Why a URL is refused. */
export const exposed = ({ origin }: URL): string =>
  `a token must not be sent to ${origin}, because anyone on the way could read it: use https, or set allowPlainHttp in a network that is encrypted by other means`

/** Only processes of this machine see what is sent there. */
const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
