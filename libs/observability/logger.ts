import { type DestinationStream, type Level, type Logger, pino, stdTimeFunctions } from 'pino'
import { prettyFactory } from 'pino-pretty'

export interface LoggerOptions {
  /** The name of the service, in every line. */
  readonly name: string
  /** Default `info`. */
  readonly level?: Level | 'silent'
  /** Readable lines instead of JSON. `auto`, the default: when standard output is a terminal. */
  readonly pretty?: 'auto' | boolean
  /** Where lines go. Default: standard output. */
  readonly destination?: DestinationStream
}

/** Fields that are never logged, at any depth. */
const secretNames = [
  'password',
  'passphrase',
  'authorization',
  'Authorization',
  'sasl',
  'cookie',
  'secret',
  'token',
]
/** pino matches at fixed depths: at the top, in a field, in a field of a field. */
const secretPaths = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `*.*.*.${name}`])

/** User and password of a URL, in a line of JSON. */
const urlCredentials = /(:\/\/)[^/\s"\\@]*@/g

/**
 * Creates a logger. Each entry is one line of JSON with its time in ISO 8601. Fields named like secrets are left out,
 * and so are user and password of any URL.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { name, level = 'info', pretty: wanted = 'auto' } = options
  const isPretty = wanted === 'auto' ? process.stdout.isTTY : wanted
  return pino(
    {
      name,
      level,
      base: {},
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretPaths, censor: '[secret]' },
      hooks: { streamWrite: (line) => line.replaceAll(urlCredentials, '$1***@') },
    },
    destinationOf(isPretty, options.destination),
  )
}

function destinationOf(isPretty: boolean, given?: DestinationStream): DestinationStream {
  // Synchronous, so that the last lines of an ending process are not lost.
  const destination = given ?? pino.destination({ fd: 1, sync: true })
  if (!isPretty) return destination
  const prettify = prettyFactory({ ignore: 'name' })
  return { write: (line) => destination.write(prettify(line)) }
}
