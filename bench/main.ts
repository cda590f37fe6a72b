// npm run bench -- <name> [--json] [options of the bench]
import { type Bench, machine } from './measure.ts'
import { type BenchArguments, BenchUsageError, type OptionName, readBenchArguments } from './options.ts'

interface Listed {
  readonly load: () => Promise<Bench<unknown>>
  readonly options?: readonly OptionName[]
}

const benches = new Map<string, Listed>([
  [
    'append',
    {
      load: async () => (await import('./append/append.ts')).append,
      options: ['brokers', 'writers', 'callers', 'contenders'],
    },
  ],
  ['one-call', { load: async () => (await import('./one-call.ts')).oneCall }],
  ['load', { load: async () => (await import('./load.ts')).load }],
  ['history', { load: async () => (await import('./history.ts')).history }],
  ['rebuild', { load: async () => (await import('./rebuild.ts')).rebuild }],
  ['project', { load: async () => (await import('./project.ts')).project }],
  ['snapshot', { load: async () => (await import('./snapshot.ts')).snapshot }],
  ['import', { load: async () => (await import('./import.ts')).importing }],
  ['replay', { load: async () => (await import('./replay.ts')).replay }],
  ['tenants', { load: async () => (await import('./tenants/tenants.ts')).tenants }],
  ['protection', { load: async () => (await import('./protection.ts')).protection }],
  ['codec', { load: async () => (await import('./codec.ts')).codec }],
  ['scale', { load: async () => (await import('./scale/scale.ts')).scale, options: ['streams'] }],
])

const usage = `usage: npm run bench -- <name> [--json] [options], where name is one of: ${[...benches.keys()].join(', ')}
  append [--brokers 1|3] [--writers 2] [--callers 1,64] [--contenders core,http]
  scale [--streams 100000,1000000]`

const optionsOf = new Map([...benches].map(([name, { options = [] }]) => [name, options]))

function readArguments(): BenchArguments | undefined {
  try {
    return readBenchArguments(process.argv.slice(2), optionsOf)
  } catch (error) {
    if (!(error instanceof BenchUsageError)) throw error
    console.error(`${error.message}\n${usage}`)
    process.exitCode = 2
    return undefined
  }
}

async function main(): Promise<void> {
  const given = readArguments()
  const listed = given && benches.get(given.name)
  if (given === undefined || listed === undefined) return
  const bench = await listed.load()
  try {
    const result = await bench.run((line) => console.error(line), given.options)
    if (given.json) console.log(JSON.stringify({ machine: machine(), [given.name]: result }))
    else console.log(`${formatMachine()}\n${bench.format(result)}`)
  } catch (error) {
    if (!(error instanceof BenchUsageError)) throw error
    console.error(`${error.message}\n${usage}`)
    process.exitCode = 2
  }
}

function formatMachine(): string {
  const { cpu, cores, memoryGiB, node, platform } = machine()
  return `${cores} cores of ${cpu}, ${memoryGiB} GiB, Node ${node}, ${platform}`
}

await main()
