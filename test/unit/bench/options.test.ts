import { describe, expect, test } from 'vitest'

import { chosenContenders, contenderNames, durabilityOf } from '../../../bench/append/contender-names.ts'
import { BenchUsageError, type OptionName, readBenchArguments } from '../../../bench/options.ts'

const benches = new Map<string, readonly OptionName[]>([
  ['append', ['brokers', 'writers', 'callers', 'contenders']],
  ['scale', ['streams']],
  ['load', []],
])
const read = (...args: string[]) => readBenchArguments(args, benches)

describe('the arguments of a bench', () => {
  test('without options it runs on one broker with one writer and its own levels', () => {
    expect(read('append')).toEqual({
      name: 'append',
      json: false,
      options: { brokers: 1, writers: 1, callers: undefined, contenders: undefined, streams: undefined },
    })
  })

  test('all options of a bench', () => {
    const given = read('append', '--brokers', '3', '--writers', '2', '--callers', '1,64', '--json')
    expect(given.json).toBe(true)
    expect(given.options).toMatchObject({ brokers: 3, writers: 2, callers: [1, 64] })
    expect(read('append', '--contenders', 'core,umadb').options.contenders).toEqual(['core', 'umadb'])
  })

  test('sizes are sorted, because each adds to the ones before', () => {
    expect(read('scale', '--streams', '1000000,100000').options.streams).toEqual([100_000, 1_000_000])
  })

  test.each([
    [['nothing'], "there is no bench 'nothing'"],
    [[], "there is no bench ''"],
    [['append', '--brokers', '2'], '--brokers 2: expected 1 or 3'],
    [['append', '--writers', '0'], '--writers 0: expected an integer from 1 to 16'],
    [['append', '--writers', '1e1'], '--writers 1e1: expected an integer from 1 to 16'],
    [['append', '--callers', '1,,2'], '--callers : expected an integer from 1 to 100000000'],
    [['append', '--streams', '5'], "the bench 'append' has no option --streams"],
    [['load', '--brokers', '3'], "the bench 'load' has no option --brokers"],
    [['append', '--quick'], "Unknown option '--quick'"],
  ])('%j is rejected', (args, message) => {
    expect(() => read(...args)).toThrow(BenchUsageError)
    expect(() => read(...args)).toThrow(message)
  })
})

describe('contenders', () => {
  test('run in the order of the table', () => {
    expect(chosenContenders(undefined)).toEqual(contenderNames)
    expect(chosenContenders(['umadb', 'core'])).toEqual(['core', 'umadb'])
  })

  test('an unknown one is rejected with the known ones', () => {
    expect(() => chosenContenders(['core', 'mysql'])).toThrow(
      '--contenders mysql: expected some of core, http, emmett, umadb, producer, limit',
    )
  })

  test('what an acknowledgement survives depends on the brokers only for Kafka', () => {
    const differ = contenderNames.filter((name) => durabilityOf(name, 1) !== durabilityOf(name, 3))
    expect(differ).toEqual(['core', 'http', 'producer', 'limit'])
  })
})
