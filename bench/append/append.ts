import { startBenchStack } from '../bench-stack.ts'
import { callersResult, type CallersResult } from '../callers.ts'
import { withClosing } from '../closing.ts'
import type { Load } from '../contenders/contender.ts'
import { type Bench, medians } from '../measure.ts'
import { chosenContenders, type ContenderName } from './contender-names.ts'
import { type AppendResult, formatAppend, type Level } from './report.ts'
import { startLoads } from './start-loads.ts'

const defaultLevels = [1, 16, 64, 256, 1_024]
const rounds = 3
const warmUpMs = 1_000
const durationMs = 2_500

/**
 * Appends of one event of 200 bytes to new streams by: the writer's core in process, the service over HTTP through the
 * SDK, Emmett on PostgreSQL in process, UmaDB over gRPC, the client library's idempotent producer, and plain idempotent
 * batches without any check as the limit. Every round runs all of them one after the other.
 */
export const append: Bench<AppendResult> = {
  run(say, { brokers, writers, callers = defaultLevels, contenders }) {
    const names = chosenContenders(contenders)
    return withClosing(async (closing) => {
      const stack = await startBenchStack(say, { brokers, writers })
      closing(() => stack.close())
      const loads = await startLoads(names, { stack, writers, closing, say })
      const levels: Level[] = []
      for (const level of callers) {
        say(`${level} callers …`)
        levels.push({ callers: level, results: await compare(loads, level) })
      }
      return { brokers, writers, levels }
    })
  },
  format: formatAppend,
}

async function compare(loads: ReadonlyMap<ContenderName, Load>, callers: number) {
  const measured = new Map<ContenderName, CallersResult[]>()
  for (let round = 0; round < rounds; round++) {
    for (const [name, load] of loads) {
      const run = `${callers}-${round}`
      await load.measure(callers, warmUpMs, `${run}-warm`)
      const result = callersResult(await load.measure(callers, durationMs, run))
      measured.set(name, [...(measured.get(name) ?? []), result])
    }
  }
  return Object.fromEntries([...measured].map(([name, results]) => [name, medians(results)]))
}
