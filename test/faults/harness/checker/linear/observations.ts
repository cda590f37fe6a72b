import type { AppendOperation, ReadOperation, StateOperation } from '../../history.ts'

type OfStream = AppendOperation | ReadOperation | StateOperation

/** What an operation saw of its stream at one moment between its call and its end. */
export type Observation =
  /** It stood at just this version. */
  | { readonly exactly: number }
  /** It had not come to this version yet. */
  | { readonly before: number }

/** Undefined where the answer tells nothing of the stream's version: those who wrote are judged by what they wrote. */
export function observed(operation: OfStream): Observation | undefined {
  const { outcome } = operation
  if (outcome.is === 'unknown') return undefined
  if (operation.kind === 'append') {
    const isRefused = outcome.is === 'refused' && outcome.code === 'wrong-expected-version'
    return isRefused && outcome.actualVersion !== undefined ? { exactly: outcome.actualVersion } : undefined
  }
  if (operation.kind === 'state') {
    return operation.outcome.is === 'answered' ? { exactly: operation.outcome.version } : undefined
  }
  if (operation.outcome.is !== 'answered') return undefined
  const last = operation.outcome.events.at(-1)
  return last === undefined ? { before: operation.fromVersion } : { exactly: last.version }
}
