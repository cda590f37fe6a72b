// npm run soak -- [--minutes 10] [--rate 1000] [--split] | --overload
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { startBenchStack } from '../bench-stack.ts'
import { withClosing } from '../closing.ts'
import { formatOverload, measureOverload, overloadBounds } from './overload.ts'
import { startProcesses } from './processes.ts'
import { formatSoak, soak } from './soak.ts'

const usage = 'usage: npm run soak -- [--minutes 10] [--rate 1000] [--split], or npm run soak -- --overload'

interface Arguments {
  readonly minutes: number
  readonly rate: number
  readonly split: boolean
  readonly overload: boolean
}

function readArguments(): Arguments | undefined {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '10' },
        rate: { type: 'string', default: '1000' },
        split: { type: 'boolean', default: false },
        overload: { type: 'boolean', default: false },
      },
    })
    const [minutes, rate] = [Number(values.minutes), Number(values.rate)]
    return minutes >= 1 && rate >= 1 ? { ...values, minutes, rate } : undefined
  } catch {
    return undefined
  }
}

/** Bounds small enough to be reached within minutes: what is bounded must then stand still. */
const soakBounds = { ANNALS_INDEX_REMEMBERED_IDS_MAX: '2000' }

async function run({ minutes, rate, split, overload }: Arguments): Promise<boolean> {
  const say = (line: string) => console.error(line)
  return withClosing(async (closing) => {
    const stack = await startBenchStack(say)
    closing(() => stack.close())
    const folder = mkdtempSync(join(tmpdir(), 'annals-soak-'))
    closing(() => rm(folder, { recursive: true }))
    const env = { ...stack.envOf('customer'), ...(overload ? overloadBounds : soakBounds) }
    const names = split ? (['writer', 'snapshotter', 'projector'] as const) : (['platform'] as const)
    const processes = await startProcesses(names, env, folder)
    for (const each of processes) closing(() => each.stop())
    if (overload) {
      const result = await measureOverload(processes, say)
      console.log(formatOverload(result))
      return result.broken.length === 0
    }
    const result = await soak({ processes, env, minutes, rate }, say)
    console.log(formatSoak(result))
    return result.broken.length === 0
  })
}

const given = readArguments()
if (given === undefined) {
  console.error(usage)
  process.exitCode = 2
} else if (!(await run(given))) process.exitCode = 1
