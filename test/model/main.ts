import Table from 'cli-table3'

import { provideModelTools } from '../../scripts/stack/index.ts'
import { modelRuns } from './runs.ts'
import { runModel } from './spin.ts'

const print = (line: string) => void process.stdout.write(`${line}\n`)

provideModelTools(print)
const table = new Table({ head: ['run', 'states', 'seconds', 'result'], style: { head: [], border: [] } })
for (const run of modelRuns) {
  const startedAtMs = performance.now()
  const { states, violated } = await runModel(run)
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1)
  const isAsExpected = (violated !== undefined) === (run.broken !== undefined)
  if (!isAsExpected) process.exitCode = 1
  const result = violated === undefined ? 'all promises hold' : `broken: ${violated}`
  print(`${isAsExpected ? 'ok  ' : 'FAIL'} ${run.name}: ${states} states, ${seconds} s`)
  table.push([run.name, states.toLocaleString('en'), seconds, `${isAsExpected ? '' : 'WRONG: '}${result}`])
}
print(table.toString())
