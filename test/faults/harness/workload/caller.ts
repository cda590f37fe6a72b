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
 * A client of Annals. Every method makes a single attempt and never rejects: the outcome is its result. There are no
 * retries that the recorder does not see.
 */
export interface Caller {
  /** Several appends in one request, independent of each other. */
  append(requests: readonly AppendRequest[]): Promise<readonly AppendOperation['outcome'][]>
  read(streamId: string, fromVersion: number): Promise<ReadOperation['outcome']>
  state(streamId: string): Promise<StateOperation['outcome']>
  view(request: ViewRequest): Promise<ViewOperation['outcome']>
  close(): Promise<void>
}

/** For one request and its response. */
export const callMsMax = 5_000
/** For clients that wait until a paused owner responds. */
export const patientCallMsMax = 20_000
/** How long a read of a view waits for the event of its token. */
export const tokenMsMax = 3_000
/** Small, so that a history has several pages. */
export const pageEvents = 50

/**
 * With these codes the writer guarantees that nothing of the append is or will be in the log. Any other failure is
 * inconclusive.
 */
const refusals: ReadonlySet<string> = new Set([
  ...['invalid-request', 'invalid-event', 'unknown-event-type', 'append-too-large', 'category-not-found'],
  ...['wrong-expected-version', 'partial-duplicate', 'overloaded', 'unavailable', 'not-owner'],
])

/** @param actual version of the stream, if the failure has it */
export function failedAppend(code: string, actual?: number): AppendOperation['outcome'] {
  if (!refusals.has(code)) return { is: 'unknown', code }
  return { is: 'refused', code, ...(actual !== undefined && { actualVersion: actual }) }
}
