import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { homeFrom, repository } from '../stack/index.ts'
import { runProgram } from './run-program.ts'
import { summaryLine, type Tally, tallyVitest, total } from './tally.ts'

const checkMsMax = 900_000
const testsMsMax = 3_000_000
const help = `Usage: ./scripts/test.sh

Runs every check (format, lint, types, dependency rules, unused exports) and every test, with its own stack, which it starts and
stops. The last line is "N passed, N failed"; the exit code is 1 when anything failed.
Reports: .annals/reports. Coverage: .annals/reports/coverage.

Environment: ANNALS_TEST_STACK=native|external|testcontainers selects the stack of the tests; external
reads ANNALS_KAFKA_BROKERS, ANNALS_REDIS_URL and ANNALS_REGISTRY_URL.`

/** The scripts of package.json that `npm run verify` runs before the tests; each counts as one. */
const checks = [
  { name: 'format', script: 'format:check' },
  { name: 'lint', script: 'lint' },
  { name: 'types', script: 'types' },
  { name: 'dependency rules', script: 'deps' },
  { name: 'unused exports and packages', script: 'unused' },
]

/** The tests of the fault harness itself take long and are not included: `npm run test:proof`. */
const testRuns = [
  // Unit tests alone must cover the pure code. Counting lines would slow the tests below by a sixth.
  { name: 'unit', args: ['--project', 'unit', '--coverage'] },
  { name: 'servers', args: ['integration', 'faults', 'e2e'].flatMap((project) => ['--project', project]) },
]

async function main(): Promise<number> {
  const reports = join(homeFrom(process.env), 'reports')
  mkdirSync(reports, { recursive: true })
  const tallies = await Promise.all(checks.map(runCheck))
  for (const run of testRuns) tallies.push(await runTests(run, reports))
  const tally = total(tallies)
  if (tally.failures.length > 0)
    console.log(`\nFailed:\n${tally.failures.map((name) => `  ${name}\n`).join('')}`)
  console.log(summaryLine(tally))
  return tally.failures.length === 0 ? 0 : 1
}

async function runCheck({ name, script }: (typeof checks)[number]): Promise<Tally> {
  const startedAt = performance.now()
  const { exitCode, output } = await runProgram('npm', ['run', '--silent', script], {
    cwd: repository,
    timeoutMs: checkMsMax,
    output: 'keep',
  })
  const passed = exitCode === 0
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`)
  if (!passed) console.log(output.trimEnd())
  return { passed: passed ? 1 : 0, skipped: 0, failures: passed ? [] : [`${name} (npm run ${script})`] }
}

async function runTests({ name, args }: (typeof testRuns)[number], reports: string): Promise<Tally> {
  const json = join(reports, `${name}.json`)
  // A report of an earlier run must not be mistaken for this one's.
  rmSync(json, { force: true })
  const reporters = [
    ...['--reporter=default', '--reporter=json', '--reporter=junit'],
    ...[`--outputFile.json=${json}`, `--outputFile.junit=${join(reports, `${name}.xml`)}`],
    `--coverage.reportsDirectory=${join(reports, 'coverage')}`,
  ]
  const vitest = join(repository, 'node_modules', 'vitest', 'vitest.mjs')
  const { exitCode } = await runProgram(process.execPath, [vitest, 'run', ...args, ...reporters], {
    cwd: repository,
    timeoutMs: testsMsMax,
    output: 'show',
  })
  return tallyVitest(json, exitCode)
}

function wantsHelp(): boolean {
  try {
    return parseArgs({ options: { help: { type: 'boolean', short: 'h', default: false } } }).values.help
  } catch (error) {
    console.error(`${(error as Error).message}\nSee ./scripts/test.sh --help`)
    return process.exit(2)
  }
}

if (wantsHelp()) console.log(help)
else process.exitCode = await main()
