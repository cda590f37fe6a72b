import { table } from '../../../../services/cli/table.ts'
import type { SeedResult } from '../seed-result.ts'

interface FaultRow {
  readonly fault: string
  readonly injected: number
  /** Operations that overlapped with it, and their outcomes. */
  readonly operations: number
  readonly acknowledged: number
  readonly refused: number
  readonly unknown: number
  readonly violations: number
}

/** One row for each fault that occurred in any of the seeds, by name. */
export function faultRows(results: readonly SeedResult[]): FaultRow[] {
  const struck = results.flatMap(({ injections }) => injections)
  return [...Map.groupBy(struck, ({ fault }) => fault)]
    .map(([fault, injections]) => {
      const sum = (of: (each: (typeof struck)[number]) => number) =>
        injections.reduce((total, each) => total + of(each), 0)
      return {
        fault,
        injected: injections.length,
        operations: sum(({ during }) => during.operations),
        acknowledged: sum(({ during }) => during.acknowledged),
        refused: sum(({ during }) => during.refused),
        unknown: sum(({ during }) => during.unknown),
        violations: sum(({ violations }) => violations),
      }
    })
    .toSorted((one, other) => (one.fault < other.fault ? -1 : 1))
}

export const faultHead = [
  'fault',
  'injected',
  'operations',
  'acknowledged',
  'refused',
  'unknown',
  'violations',
]

/** Readable table; the last row is for all seeds, including the time between faults. */
export const faultTable = (results: readonly SeedResult[]): string => table(faultHead, faultCells(results))

/** The cells for {@link faultHead}. */
export function faultCells(results: readonly SeedResult[]): (string | number)[][] {
  const rows = faultRows(results).map((row) => [
    row.fault,
    row.injected,
    row.operations,
    row.acknowledged,
    row.refused,
    row.unknown,
    row.violations,
  ])
  const total = (of: (result: SeedResult) => number) => results.reduce((sum, each) => sum + of(each), 0)
  const all = [
    `all of ${results.length} seeds`,
    total(({ injections }) => injections.length),
    total(({ counts }) => counts.operations),
    total(({ counts }) => counts.acknowledged),
    total(({ counts }) => counts.refused),
    total(({ counts }) => counts.unknown),
    total(({ violations }) => violations.length),
  ]
  return [...rows, all]
}
