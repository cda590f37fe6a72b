import type { Violation } from './checker/violation.ts'
import type { UnexpectedExit } from './cluster/service-post.ts'
import type { Operation } from './history.ts'
import type { Injection } from './nemesis/nemesis.ts'

export interface Counts {
  readonly operations: number
  /** Acknowledged appends, answered reads. */
  readonly acknowledged: number
  readonly refused: number
  readonly unknown: number
}

/** The result of one seed. */
export interface SeedResult {
  readonly seed: number
  readonly tookMs: number
  readonly counts: Counts
  /** The share of seconds of the workload in which an append was acknowledged: 0 to 1. */
  readonly progress: number
  readonly injections: readonly InjectionResult[]
  readonly violations: readonly Violation[]
  readonly unexpectedExits: readonly UnexpectedExit[]
  /** Why the seed proves nothing, or what did not recover after the faults. */
  readonly failure?: string
}

/** A fault, and the operations of clients while it lasted. */
interface InjectionResult extends Injection {
  readonly during: Counts
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

/** Which operations and violations overlap with a fault. */
export function injectionResult(
  injection: Injection,
  history: readonly Operation[],
  violations: readonly Violation[],
): InjectionResult {
  const overlaps = ({ calledAtMs, endedAtMs }: Operation) =>
    calledAtMs <= injection.untilMs && endedAtMs >= injection.fromMs
  return {
    ...injection,
    during: countsOf(history.filter(overlaps)),
    violations: violations.filter(({ operations }) => operations.some(overlaps)).length,
  }
}
