// npm run soak -- [--minutes 10] [--rate 1000] [--split] | --overload | --hostile [--minutes 10] [--rate 500] [--only name,name]
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { startBenchStack } from '../bench-stack.ts'
import { withClosing } from '../closing.ts'
import { hostileCallers } from './hostile/callers.ts'
import { formatHostile, measureHostile } from './hostile/hostile.ts'
import { formatOverload, measureOverload, overloadBounds } from './overload.ts'
import { startProcesses } from './processes.ts'
import { formatSoak, soak } from './soak.ts'

const usage = `usage: npm run soak -- [--minutes 10] [--rate 1000] [--split]
   or: npm run soak -- --overload
   or: npm run soak -- --hostile [--minutes 10] [--rate 500] [--only '${Object.keys(hostileCallers).join(',')}']`

interface Arguments {
  readonly minutes: number
  readonly rate: number
  readonly split: boolean
  readonly overload: boolean
  readonly hostile: boolean
  /** Names of hostile callers; undefined for all. */
  readonly only: readonly string[] | undefined
}

function readArguments(): Arguments | undefined {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '10' },
        rate: { type: 'string' },
        split: { type: 'boolean', default: false },
        overload: { type: 'boolean', default: false },
        hostile: { type: 'boolean', default: false },
        only: { type: 'string' },
      },
    })
    const [minutes, rate] = [Number(values.minutes), Number(values.rate ?? (values.hostile ? 500 : 1_000))]
    const only = values.only?.split(',')
    const isKnown = only?.every((name) => name in hostileCallers) ?? true
    return minutes > 0 && rate >= 1 && isKnown ? { ...values, minutes, rate, only } : undefined
  } catch {
    return undefined
  }
}

/** Bounds small enough to be reached within minutes. What is bounded must then stay constant. */
const soakBounds = { ANNALS_INDEX_REMEMBERED_IDS_MAX: '2000' }

async function run({ minutes, rate, split, overload, hostile, only }: Arguments): Promise<boolean> {
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
    const [platform] = processes
    if (hostile && platform !== undefined) {
      const names = only === undefined ? {} : { names: only }
      const times = { calmMs: 15_000, attackMs: minutes * 60_000 }
      const target = { process: platform, type: 'customer', projection: 'customer-lifetime' }
      const result = await measureHostile({ ...target, ...times, ...names, rate }, say)
      console.log(formatHostile(result))
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
