import type { Violation } from './checker/violation.ts'
import type { OwnEnd } from './cluster/service-post.ts'
import type { Operation } from './history.ts'
import type { Injection } from './nemesis/nemesis.ts'

export interface Counts {
  readonly operations: number
  /** Appends acknowledged, reads answered. */
  readonly acknowledged: number
  readonly refused: number
  readonly unknown: number
}

/** What came of one seed. */
export interface SeedResult {
  readonly seed: number
  readonly tookMs: number
  readonly counts: Counts
  /** Of the seconds of the workload, those in which an append was acknowledged: 0 to 1. */
  readonly progress: number
  readonly injections: readonly InjectionResult[]
  readonly violations: readonly Violation[]
  readonly ownEnds: readonly OwnEnd[]
  /** Why the seed proves nothing, or what did not come back after the faults. */
  readonly failure?: string
}

/** A fault, and what clients were doing while it lasted. */
export interface InjectionResult extends Injection {
  readonly meanwhile: Counts
  readonly violations: number
}

export function countsOf(history: readonly Operation[]): Counts {
  const are = (...kinds: readonly string[]) =>
    history.filter(({ outcome }) => kinds.includes(outcome.is)).length
  return {
    operations: history.length,
    acknowledged: are('acknowledged', 'answered'),
    refused: are('refused'),
    unknown: are('unknown'),
  }
}

export function progressOf(history: readonly Operation[], fromMs: number, untilMs: number): number {
  const seconds = new Set<number>()
  for (const { kind, outcome, endedAtMs } of history) {
    if (kind !== 'append' || outcome.is !== 'acknowledged' || endedAtMs > untilMs) continue
    seconds.add(Math.floor((endedAtMs - fromMs) / 1_000))
  }
  return seconds.size / Math.max(1, Math.ceil((untilMs - fromMs) / 1_000))
}

/** Which operations and violations fall into the time of a fault. */
export function injectionResult(
  injection: Injection,
  history: readonly Operation[],
  violations: readonly Violation[],
): InjectionResult {
  const isMeanwhile = ({ calledAtMs, endedAtMs }: Operation) =>
    calledAtMs <= injection.untilMs && endedAtMs >= injection.fromMs
  return {
    ...injection,
    meanwhile: countsOf(history.filter(isMeanwhile)),
    violations: violations.filter(({ operations }) => operations.some(isMeanwhile)).length,
  }
}
