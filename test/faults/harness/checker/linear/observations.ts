import type { AppendOperation, ReadOperation, StateOperation } from '../../history.ts'

type OfStream = AppendOperation | ReadOperation | StateOperation

/** What an operation observed of its stream at one moment between its call and its end. */
type Observation =
  /** The stream was at exactly this version. */
  | { readonly exactly: number }
  /** The stream had not reached this version. */
  | { readonly before: number }

/** Undefined if the response says nothing about the version of the stream. Appends are judged by their writes. */
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
