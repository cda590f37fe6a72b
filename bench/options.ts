import { parseArgs } from 'node:util'

/** The options of benches. Each bench takes some of them. */
export interface BenchOptions {
  /** Brokers of the Kafka that Annals uses: one without replication, or three with two in sync. */
  readonly brokers: 1 | 3
  /** Writer processes that share the partitions. */
  readonly writers: number
  /** Concurrent callers, one measurement each; undefined for the bench's own levels. */
  readonly callers: readonly number[] | undefined
  /** Names of the contenders to run; undefined for all. */
  readonly contenders: readonly string[] | undefined
  /** Numbers of streams, ascending; undefined for the bench's own sizes. */
  readonly streams: readonly number[] | undefined
}

export type OptionName = keyof BenchOptions

export interface BenchArguments {
  readonly name: string
  readonly json: boolean
  readonly options: BenchOptions
}

/** Arguments that no bench takes; the message says what is expected. */
export class BenchUsageError extends Error {
  override readonly name = 'BenchUsageError'
}

const writersMax = 16
const numbersMax = 100_000_000
const text = { type: 'string' } as const

/**
 * Reads `<name> [--json] [--brokers 3] …`.
 * @param benches the options that each bench takes, by its name
 * @throws BenchUsageError
 */
export function readBenchArguments(
  args: readonly string[],
  benches: ReadonlyMap<string, readonly OptionName[]>,
): BenchArguments {
  const { values, positionals } = parse(args)
  const name = positionals.join(' ')
  const taken = benches.get(name)
  if (taken === undefined) throw new BenchUsageError(`there is no bench '${name}'`)
  const { json, ...given } = values
  for (const option of Object.keys(given) as OptionName[]) {
    if (!taken.includes(option)) throw new BenchUsageError(`the bench '${name}' has no option --${option}`)
  }
  return {
    name,
    json,
    options: {
      brokers: brokersOf(given.brokers),
      writers: given.writers === undefined ? 1 : numberOf('writers', given.writers, writersMax),
      callers: numbersOf('callers', given.callers),
      contenders: given.contenders?.split(','),
      streams: numbersOf('streams', given.streams)?.toSorted((a, b) => a - b),
    },
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        brokers: text,
        writers: text,
        callers: text,
        contenders: text,
        streams: text,
      },
    })
  } catch (error) {
    throw new BenchUsageError((error as Error).message)
  }
}

function brokersOf(given = '1'): 1 | 3 {
  if (given === '1') return 1
  if (given === '3') return 3
  throw new BenchUsageError(`--brokers ${given}: expected 1 or 3`)
}

function numberOf(option: OptionName, given: string, maximum: number): number {
  const number = Number(given)
  if (/^\d+$/.test(given) && number >= 1 && number <= maximum) return number
  throw new BenchUsageError(`--${option} ${given}: expected an integer from 1 to ${maximum}`)
}

const numbersOf = (option: OptionName, given: string | undefined): readonly number[] | undefined =>
  given?.split(',').map((each) => numberOf(option, each, numbersMax))
