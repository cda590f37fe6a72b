import type { Violation } from '../checker/violation.ts'
import type { Operation } from '../history.ts'
import type { SeedResult } from '../seed-result.ts'

export const isPassed = ({ failure, violations }: SeedResult): boolean =>
  failure === undefined && violations.length === 0

/** Whether there is nothing to investigate: it passed, and no process exited unexpectedly. */
export const isUneventful = (result: SeedResult): boolean =>
  isPassed(result) && result.unexpectedExits.length === 0

/** One line with the result of the seed. */
export function seedLine(result: SeedResult): string {
  const { seed, tookMs, counts, progress, injections, unexpectedExits } = result
  return [
    `seed ${seed}: ${verdictOf(result)}`,
    `${injections.length} faults`,
    `${counts.operations} operations (${counts.acknowledged} acknowledged, ${counts.refused} refused, ${counts.unknown} unknown)`,
    `progress in ${Math.round(100 * progress)} % of the seconds`,
    ...(unexpectedExits.length > 0 ? [`${unexpectedExits.length} unexpected exits of processes`] : []),
    `${Math.round(tookMs / 1_000)} s`,
  ].join(', ')
}

function verdictOf({ violations, failure }: SeedResult): string {
  if (violations.length > 0) return `${violations.length} VIOLATIONS`
  return failure === undefined ? 'ok' : 'FAILED'
}

/**
 * All that is needed to investigate a seed: the violation with the shortest history first.
 * @param command runs this seed again. @param folder with its whole history and logs
 */
export function seedFindings(result: SeedResult, command: string, folder: string): string {
  const { seed, violations, failure, unexpectedExits } = result
  const [shortest, ...others] = violations.toSorted(
    (one, other) => one.operations.length - other.operations.length,
  )
  return [
    `Seed ${seed}`,
    ...(failure === undefined ? [] : [`  ${failure}`]),
    ...(shortest === undefined ? [] : [`  ${violationLine(shortest)}`]),
    ...(shortest?.operations ?? []).map((operation) => `    ${operationLine(operation)}`),
    ...others.slice(0, 20).map((violation) => `  ${violationLine(violation)}`),
    ...(others.length > 20 ? [`  … and ${others.length - 20} more`] : []),
    ...unexpectedExitLines(unexpectedExits),
    `  rerun: ${command}`,
    `  history, faults and logs: ${folder}`,
  ].join('\n')
}

/** Repetitions of the same exit are listed once. */
function unexpectedExitLines(unexpectedExits: SeedResult['unexpectedExits']): string[] {
  const ends = unexpectedExits.map(
    ({ post, how, lastLines }) => `${post} (${how}): ${lastLines.at(-1) ?? ''}`,
  )
  return [...Map.groupBy(ends, (end) => end)].map(
    ([end, all]) => `  exited unexpectedly${all.length > 1 ? `, ${all.length} times` : ''}: ${end}`,
  )
}

const shownMax = 400

const violationLine = ({ promise, where, expected, found }: Violation): string =>
  `${promise}, ${where}: expected ${expected}, found ${found}`

function operationLine({ op, client, calledAtMs, endedAtMs, ...rest }: Operation): string {
  const text = JSON.stringify(rest)
  const time = `${calledAtMs.toFixed(1)} to ${endedAtMs.toFixed(1)} ms`
  return `#${op} client ${client}, ${time}: ${text.length > shownMax ? `${text.slice(0, shownMax)}…` : text}`
}
