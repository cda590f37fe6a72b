// npm run bench -- <name> [--json]
import { parseArgs } from 'node:util'

import { type Bench, machine } from './measure.ts'

const benches = new Map<string, () => Promise<Bench<unknown>>>([
  ['append', async () => (await import('./append.ts')).append],
  ['load', async () => (await import('./load.ts')).load],
  ['history', async () => (await import('./history.ts')).history],
  ['rebuild', async () => (await import('./rebuild.ts')).rebuild],
  ['project', async () => (await import('./project.ts')).project],
  ['snapshot', async () => (await import('./snapshot.ts')).snapshot],
  ['import', async () => (await import('./import.ts')).importing],
  ['replay', async () => (await import('./replay.ts')).replay],
  ['codec', async () => (await import('./codec.ts')).codec],
])

const usage = `usage: npm run bench -- <name> [--json], where name is one of: ${[...benches.keys()].join(', ')}`

interface Arguments {
  readonly name: string
  readonly json: boolean
}

function readArguments(): Arguments | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false } },
    })
    return { name: positionals.join(' '), json: values.json }
  } catch {
    return undefined
  }
}

async function main(): Promise<void> {
  const given = readArguments()
  const load = benches.get(given?.name ?? '')
  if (given === undefined || load === undefined) {
    console.error(usage)
    process.exitCode = 2
    return
  }
  const bench = await load()
  const result = await bench.run((line) => console.error(line))
  if (given.json) console.log(JSON.stringify({ machine: machine(), [given.name]: result }))
  else console.log(`${formatMachine()}\n${bench.format(result)}`)
}

function formatMachine(): string {
  const { cpu, cores, memoryGiB, node, platform } = machine()
  return `${cores} cores of ${cpu}, ${memoryGiB} GiB, Node ${node}, ${platform}`
}

await main()
