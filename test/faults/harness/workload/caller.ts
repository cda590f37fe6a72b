import type {
  AppendedEvent,
  AppendOperation,
  ExpectedVersion,
  LogPosition,
  ReadOperation,
  StateOperation,
  ViewOperation,
} from '../history.ts'

export interface AppendRequest {
  readonly streamId: string
  readonly expectedVersion: ExpectedVersion
  readonly events: readonly AppendedEvent[]
}

export interface ViewRequest {
  readonly projection: string
  readonly key: string
  readonly after?: LogPosition
}

/**
 * One way to talk to Annals. Every method is one try, and never rejects: what became of it is its outcome.
 * Nothing is tried again behind the recorder's back.
 */
export interface Caller {
  /** Several appends travel together, and stand each on its own. */
  append(requests: readonly AppendRequest[]): Promise<readonly AppendOperation['outcome'][]>
  read(streamId: string, fromVersion: number): Promise<ReadOperation['outcome']>
  state(streamId: string): Promise<StateOperation['outcome']>
  view(request: ViewRequest): Promise<ViewOperation['outcome']>
  close(): Promise<void>
}

/** For one request and its answer. */
export const callMsMax = 5_000
/** Of those who wait until an owner that was paused answers after all. */
export const patientCallMsMax = 20_000
/** How long a read of a view waits for the event of its token. */
export const tokenMsMax = 3_000
/** Of a history: small, so that it has several. */
export const pageEvents = 50

/** By these the writer says that nothing of the append is in the log, nor will be. Any other failure leaves it open. */
const refusals: ReadonlySet<string> = new Set([
  ...['invalid-request', 'invalid-event', 'unknown-event-type', 'append-too-large', 'category-not-found'],
  ...['wrong-expected-version', 'partial-duplicate', 'overloaded', 'unavailable', 'not-owner'],
])

/** @param actual version of the stream, where the failure tells it. */
export function failedAppend(code: string, actual?: number): AppendOperation['outcome'] {
  if (!refusals.has(code)) return { is: 'unknown', code }
  return { is: 'refused', code, ...(actual !== undefined && { actualVersion: actual }) }
}
