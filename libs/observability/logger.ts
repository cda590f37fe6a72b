import { type DestinationStream, type Level, type Logger, pino, stdTimeFunctions } from 'pino'
import { prettyFactory } from 'pino-pretty'

export interface LoggerOptions {
  /** Stands in every line: which service speaks. */
  readonly name: string
  /** Default `info`. */
  readonly level?: Level | 'silent'
  /** Lines for people instead of JSON. `auto`, the default: where standard output is a terminal. */
  readonly pretty?: 'auto' | boolean
  /** Where lines go. Default: standard output. */
  readonly destination?: DestinationStream
}

/** What is never logged, wherever it stands. */
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
/** pino looks at fixed depths: on top, in a field, in a field of a field. */
const secretPaths = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `*.*.*.${name}`])

/** User and password of a URL, in a line of JSON. */
const urlCredentials = /(:\/\/)[^/\s"\\@]*@/g

/**
 * A logger: one line of JSON for each entry, its time in ISO 8601. Fields with the names of secrets are left out, and so are user and password of any URL.
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
  // Synchronous, so that the last lines of a process that ends are not lost.
  const destination = given ?? pino.destination({ fd: 1, sync: true })
  if (!isPretty) return destination
  const prettify = prettyFactory({ ignore: 'name' })
  return { write: (line) => destination.write(prettify(line)) }
}
