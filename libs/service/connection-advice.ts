import type { Config } from '#config'

type Advise = (failure: unknown) => string | undefined

/** Why a connection could not be opened, as far as a setting can change it. */
type Trouble =
  /** The server rejects this login. */
  | 'login'
  /** The server asks for a login, and none is configured. */
  | 'no-login'
  /** The certificate is of an authority that is not trusted. */
  | 'authority'
  | 'expired'
  /** The certificate is for other names. */
  | 'name'
  /** The server does not speak TLS. */
  | 'no-tls'
  /** The server asks for TLS, and the client does not use it. */
  | 'tls'
  /** The server asks for a client certificate, or rejects the one it got. */
  | 'client-certificate'
  /** The server closed the connection without a reason, as one that expects TLS or a login does. */
  | 'closed'

const ofCodes: Readonly<Record<string, Trouble>> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'authority',
  UNABLE_TO_GET_ISSUER_CERT: 'authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'authority',
  CERT_SIGNATURE_FAILURE: 'authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no-tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'no-tls',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'client-certificate',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'client-certificate',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'client-certificate',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'client-certificate',
  // PostgreSQL.
  '28P01': 'login',
  '28000': 'login',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
  UND_ERR_SOCKET: 'closed',
}

/** For errors without a code. The first match counts. */
const ofMessages: readonly (readonly [RegExp, Trouble])[] = [
  [/no encryption/, 'tls'],
  [/does not support SSL/, 'no-tls'],
  [/^NOAUTH|client password must be a string|no password/i, 'no-login'],
  [/^WRONGPASS|^ERR AUTH|SASL authentication failed|authentication failed|invalid credentials/i, 'login'],
  [/before secure TLS connection was established/, 'no-tls'],
  [/closed/i, 'closed'],
]

/** The errors that a client wraps, innermost last: causes, and those that a group of errors or of nodes collects. */
function* causesOf(error: unknown): Generator<Error> {
  if (!(error instanceof Error)) return
  yield error
  const { errors, lastNodeError } = error as { errors?: unknown; lastNodeError?: unknown }
  if (Array.isArray(errors)) for (const one of errors) yield* causesOf(one)
  yield* causesOf(lastNodeError)
  yield* causesOf(error.cause)
}

function troubleOf(failure: unknown): Trouble | undefined {
  if (failure === 401 || failure === 403) return 'login'
  const errors = [...causesOf(failure)].reverse()
  for (const { message } of errors) {
    const [, trouble] = ofMessages.slice(0, 4).find(([pattern]) => pattern.test(message)) ?? []
    if (trouble !== undefined) return trouble
  }
  const codes = errors.map((error) => ofCodes[String((error as { code?: unknown }).code)])
  const coded = codes.find((trouble) => trouble !== undefined)
  if (coded !== undefined && coded !== 'closed') return coded
  const [, trouble] =
    ofMessages.find(([pattern]) => errors.some(({ message }) => pattern.test(message))) ?? []
  return trouble ?? coded
}

const advise =
  (texts: Readonly<Partial<Record<Trouble, string>>>): Advise =>
  (failure) => {
    const trouble = troubleOf(failure)
    return trouble && texts[trouble]
  }

/** What to change when Kafka cannot be reached. It names settings, never their values. */
export function kafkaAdvice({ ssl, sasl }: Config['kafka']): Advise {
  const mayAsk = [
    ...(ssl.enabled ? [] : ['for TLS: set ANNALS_KAFKA_SSL=true']),
    ...(sasl.mechanism === undefined ? ['for a login: set ANNALS_KAFKA_SASL_MECHANISM'] : []),
  ]
  return advise({
    login: 'check ANNALS_KAFKA_SASL_USERNAME, ANNALS_KAFKA_SASL_PASSWORD and ANNALS_KAFKA_SASL_MECHANISM',
    authority: 'ANNALS_KAFKA_SSL_CA_FILE must have the authority that signed its certificate',
    expired: 'its certificate is not valid now: renew it, or correct ANNALS_KAFKA_BROKERS',
    name: 'ANNALS_KAFKA_BROKERS must use a name that is in its certificate',
    'no-tls':
      'this port does not speak TLS: correct the port in ANNALS_KAFKA_BROKERS, or set ANNALS_KAFKA_SSL=false',
    'client-certificate': 'check ANNALS_KAFKA_SSL_CERT_FILE and ANNALS_KAFKA_SSL_KEY_FILE',
    closed:
      mayAsk.length === 0
        ? 'check ANNALS_KAFKA_BROKERS, ANNALS_KAFKA_SSL and ANNALS_KAFKA_SASL_MECHANISM'
        : `it may ask ${mayAsk.join(', or ')}`,
  })
}

/** What to change when Redis cannot be reached. */
export function redisAdvice({ url }: Config['redis']): Advise {
  const isTls = url.startsWith('rediss:')
  return advise({
    login: 'check the user and the password in ANNALS_REDIS_URL',
    'no-login': 'it asks for a password: set ANNALS_REDIS_URL=redis://user:password@host:port',
    authority: 'ANNALS_REDIS_CA_FILE must have the authority that signed its certificate',
    expired: 'its certificate is not valid now: renew it, or correct ANNALS_REDIS_URL',
    name: 'ANNALS_REDIS_URL must use a name that is in its certificate',
    'no-tls': 'this port does not speak TLS: ANNALS_REDIS_URL must begin with redis://, or have another port',
    'client-certificate': 'check ANNALS_REDIS_CERT_FILE and ANNALS_REDIS_KEY_FILE',
    closed: isTls
      ? 'check the port in ANNALS_REDIS_URL: it may not speak TLS'
      : 'it may ask for TLS: ANNALS_REDIS_URL then begins with rediss://',
  })
}

/** What to change when the registry cannot be reached, or rejects the login. */
export function registryAdvice({ url }: Config['registry']): Advise {
  const isTls = url.startsWith('https:')
  return advise({
    login: 'check ANNALS_REGISTRY_USERNAME and ANNALS_REGISTRY_PASSWORD',
    authority: 'ANNALS_REGISTRY_CA_FILE must have the authority that signed its certificate',
    expired: 'its certificate is not valid now: renew it, or correct ANNALS_REGISTRY_URL',
    name: 'ANNALS_REGISTRY_URL must use a name that is in its certificate',
    'no-tls':
      'this port does not speak TLS: ANNALS_REGISTRY_URL must begin with http://, or have another port',
    closed: isTls
      ? 'check the port in ANNALS_REGISTRY_URL: it may not speak TLS'
      : 'it may ask for TLS: ANNALS_REGISTRY_URL then begins with https://',
  })
}

/** What to change when PostgreSQL cannot be reached. */
export function postgresAdvice(url: string): Advise {
  const setting = 'ANNALS_PROJECTOR_POSTGRES_URL'
  const hasAuthority = url.includes('sslrootcert=')
  return advise({
    login: `check the user and the password in ${setting}`,
    'no-login': `it asks for a password: set it in ${setting}`,
    authority: hasAuthority
      ? `the file of sslrootcert in ${setting} must have the authority that signed its certificate`
      : `add sslrootcert=/path/ca.pem with the authority that signed its certificate to ${setting}`,
    expired: `its certificate is not valid now: renew it, or correct ${setting}`,
    name: `${setting} must use a name that is in its certificate`,
    'no-tls': `it does not speak TLS: check the port and sslmode in ${setting}`,
    tls: `it asks for TLS: add sslmode=verify-full to ${setting}`,
    'client-certificate': `check sslcert and sslkey in ${setting}`,
    closed: `check the port and sslmode in ${setting}`,
  })
}
