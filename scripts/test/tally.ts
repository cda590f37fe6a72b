import { existsSync, readFileSync } from 'node:fs'

/** The numbers of passed and skipped tests, and the names of failed ones. */
export interface Tally {
  readonly passed: number
  readonly skipped: number
  readonly failures: readonly string[]
}

/** The counted part of vitest's JSON report. */
interface VitestReport {
  readonly numPassedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

/**
 * Counts vitest's report. A file that failed without a failed test (it could not be loaded, or a hook failed) counts
 * as one failure. So does a run that failed for another reason, such as coverage, or that left no report.
 * @param exitCode of vitest
 */
export function tallyVitest(reportFile: string, exitCode: number): Tally {
  const report = readReport(reportFile)
  if (report === undefined)
    return { passed: 0, skipped: 0, failures: ['vitest exited without a complete report'] }
  const failures = report.testResults.flatMap(({ name, status, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed')
    if (failed.length === 0) return status === 'failed' ? [`${name}: the file failed`] : []
    return failed.map(({ fullName }) => `${name}: ${fullName}`)
  })
  if (failures.length === 0 && exitCode !== 0)
    failures.push(
      `vitest: exit code ${exitCode} without a failed test (coverage, or an error outside tests; see above)`,
    )
  return { passed: report.numPassedTests, skipped: report.numPendingTests + report.numTodoTests, failures }
}

function readReport(file: string): VitestReport | undefined {
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport
  } catch {
    return undefined
  }
}

/** The sum of several tallies. */
export function total(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
    skipped: tallies.reduce((sum, { skipped }) => sum + skipped, 0),
    failures: tallies.flatMap(({ failures }) => failures),
  }
}

/** The last line of a run: `12 passed, 0 failed`, and the number of skipped tests if there are any. */
export function summaryLine({ passed, skipped, failures }: Tally): string {
  const line = `${passed} passed, ${failures.length} failed`
  return skipped > 0 ? `${line}, ${skipped} skipped` : line
}
