import { Cluster, Redis, type RedisOptions } from 'ioredis'

import { deadlineIn, within } from '#async'
import { InvalidInputError, quote } from '#domain'

import { IndexUnavailableError } from './errors.ts'
import { guardReplies } from './guard-replies.ts'
import type { Script } from './scripts/script.ts'

export interface RedisSettings {
  /** `redis://[user:password@]host:port[/db]` or `rediss://` for TLS; for a cluster some of its nodes, separated by commas. */
  readonly url: string
  /** The prefix of every key, so that installations can share a Redis. No braces. */
  readonly keyPrefix: string
  /** Whether `url` names nodes of a Redis Cluster. Default: whether it names more than one. */
  readonly cluster?: boolean
  /** How long a command may take before it fails with {@link IndexUnavailableError}. Default 2,000. */
  readonly commandTimeoutMs?: number
  /** For `rediss://`: authorities other than Node's own, and a client certificate; all in PEM. */
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer }
  /** What to change in the settings after this error of a connection; added to the message. */
  readonly advise?: Advise
}

type Advise = (error: unknown) => string | undefined

type Argument = string | Buffer | number

guardReplies()

const commandTimeoutMsDefault = 2_000
const reconnectDelayMsMax = 1_000

/**
 * A connection to Redis, or to a cluster of it. It reconnects until it is closed. While Redis is unavailable,
 * commands fail at once: nothing queues, nothing is sent twice.
 */
export class RedisConnection {
  readonly keyPrefix: string
  readonly #client: Redis | Cluster
  readonly #where: string
  readonly #advise: Advise
  #lastError: Error | undefined
  #isCorked = false

  /** Use {@link connectRedis}. */
  constructor(client: Redis | Cluster, keyPrefix: string, where: string, advise: Advise = () => undefined) {
    this.#advise = advise
    this.keyPrefix = keyPrefix
    this.#client = client
    this.#where = where
    client.on('error', (error: Error) => (this.#lastError = error))
    client.on('ready', () => (this.#lastError = undefined))
  }

  /**
   * Settles when Redis answers for the first time.
   * @throws IndexUnavailableError with the reason, after `timeoutMs`.
   */
  async ready(timeoutMs = 5_000): Promise<void> {
    if (this.#client.status === 'ready') return
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const onReady = () => {
      resolve(undefined)
    }
    this.#client.once('ready', onReady)
    await within(deadlineIn(timeoutMs), promise, () =>
      this.#unavailable(this.#lastError ?? new Error(`no connection within ${timeoutMs} ms`)),
    ).finally(() => this.#client.off('ready', onReady))
  }

  /** Runs a command and returns the reply of Redis, bytes as buffers. @throws IndexUnavailableError */
  async call(command: string, args: readonly Argument[]): Promise<unknown> {
    try {
      return await this.#client.callBuffer(command, [...args])
    } catch (error) {
      throw this.#unavailable(error)
    }
  }

  /** Runs a script by its hash, and sends its text when Redis does not know it. @throws IndexUnavailableError */
  async run(script: Script, keys: readonly string[], argument: Buffer): Promise<unknown> {
    const args: Argument[] = [keys.length, ...keys, argument]
    this.#cork()
    try {
      return await this.#client.callBuffer('EVALSHA', [script.sha, ...args])
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw this.#unavailable(error)
    }
    return this.call('EVAL', [script.lua, ...args])
  }

  /** Scripts of one turn of the event loop leave in one system call: a commit and the check that follows it. */
  #cork(): void {
    if (this.#isCorked || this.#client instanceof Cluster || this.#client.status !== 'ready') return
    const { stream } = this.#client
    this.#isCorked = true
    stream.cork()
    process.nextTick(() => {
      this.#isCorked = false
      stream.uncork()
    })
  }

  /** Closes at once. Unanswered commands fail. */
  close(): void {
    this.#client.disconnect()
  }

  #unavailable(error: unknown): IndexUnavailableError {
    // ioredis reports the reason of a failed connection only as an event. The error of a command just says that it is not connected.
    const said = error instanceof Error ? error.message : String(error)
    const reason = said.startsWith("Stream isn't writeable") ? 'not connected' : said
    const cause = this.#lastError?.message
    const detail = cause === undefined || cause === reason ? reason : `${reason} (${cause})`
    const advice = this.#advise(this.#lastError ?? error)
    const text = advice === undefined ? detail : `${detail}; ${advice}`
    return new IndexUnavailableError(`Redis at ${this.#where}: ${text}`, { cause: error })
  }
}

/**
 * Opens a connection. It does not wait: {@link RedisConnection.ready} does.
 * @throws InvalidInputError when the settings are malformed.
 */
export function connectRedis(settings: RedisSettings): RedisConnection {
  if (settings.keyPrefix === '' || /[{}]/.test(settings.keyPrefix)) {
    throw new InvalidInputError(
      'redis.keyPrefix',
      `redis.keyPrefix ${quote(settings.keyPrefix)} is malformed: expected at least one character, no braces`,
    )
  }
  const nodes = settings.url.split(',').map((text) => parseNode(text.trim()))
  const where = nodes.map(({ host, port }) => `${host}:${port}`).join(', ')
  const options = clientOptions(nodes, settings)
  const client =
    (settings.cluster ?? nodes.length > 1)
      ? connectCluster(nodes, options)
      : new Redis({
          ...options,
          ...(nodes[0] && placeOf(nodes[0])),
          enableOfflineQueue: false,
          retryStrategy: reconnectDelayMs,
        })
  return new RedisConnection(client, settings.keyPrefix, where, settings.advise)
}

/** The configured nodes, each as a server of its own, without a login and a client certificate. */
export const singleNodes = ({ url, tls = {} }: RedisSettings) =>
  url.split(',').map((text) => {
    const { host, port, isEncrypted } = parseNode(text.trim())
    return { host, port, tls: isEncrypted ? { ...(tls.ca && { ca: tls.ca }) } : undefined }
  })

interface RedisNode {
  readonly host: string
  readonly port: number
  readonly db: number
  readonly username: string | undefined
  readonly password: string | undefined
  readonly isEncrypted: boolean
}

function parseNode(text: string): RedisNode {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === '') {
    // The URL may contain a password, so the message does not repeat it.
    throw new InvalidInputError(
      'redis.url',
      'redis.url is malformed: expected redis://[user:password@]host:port[/db] (rediss:// for TLS), or several of them separated by commas',
    )
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 6379),
    db: Number(url.pathname.slice(1) || 0),
    username: decodeURIComponent(url.username) || undefined,
    password: decodeURIComponent(url.password) || undefined,
    isEncrypted: url.protocol === 'rediss:',
  }
}

const placeOf = ({ host, port, db }: RedisNode) => ({ host, port, db })

const reconnectDelayMs = (attempt: number): number => Math.min(25 * 2 ** attempt, reconnectDelayMsMax)

function clientOptions(
  nodes: readonly RedisNode[],
  { commandTimeoutMs = commandTimeoutMsDefault, tls }: RedisSettings,
) {
  const { username, password, isEncrypted = false } = nodes[0] ?? {}
  return {
    username,
    password,
    tls: isEncrypted ? { ...tls } : undefined,
    commandTimeout: commandTimeoutMs,
    // A socket that is silent while commands wait is closed, so that they cannot pile up.
    socketTimeout: commandTimeoutMs,
    connectTimeout: commandTimeoutMs,
    // The guard would refuse a commit that was sent twice, but its caller could not tell why.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  } satisfies RedisOptions
}

function connectCluster(
  nodes: readonly RedisNode[],
  redisOptions: ReturnType<typeof clientOptions>,
): Cluster {
  return new Cluster(
    nodes.map(({ host, port }) => ({ host, port })),
    {
      redisOptions,
      enableOfflineQueue: false,
      clusterRetryStrategy: reconnectDelayMs,
      maxRedirections: 4,
      slotsRefreshTimeout: redisOptions.commandTimeout,
      // Certificates are for names, and nodes announce addresses: names are left to the TLS layer.
      ...(redisOptions.tls && {
        dnsLookup: (address: string, done: (error: null, address: string) => void) => done(null, address),
      }),
    },
  )
}
