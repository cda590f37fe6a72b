import { AuthenticationError, MultipleErrors, ProtocolError } from '@platformatic/kafka'

/**
 * What the caller does next.
 * - `fenced`: a later owner has taken over. Give up the partition; this log object is permanently unusable.
 * - `unknown`: sent, and not answered before the deadline. Take over again and read the log to find out.
 * - `take-over`: the broker no longer tracks this producer's sequence. Take over again and read the log.
 * - `refused`: the broker will never accept this request. Nothing was written; other appends may continue.
 * - `unavailable`: no broker answered before the deadline. Nothing was written; try again later.
 * - `not-there`: the log does not contain the requested offset, or no longer does.
 * - `log-replaced`: the topic was deleted and created again under the same name. It must not be served until a restart.
 * - `events-deleted`: required records were deleted from the head of the log. An operator decides about the rest.
 */
export type LogOutcome =
  | 'fenced'
  | 'unknown'
  | 'take-over'
  | 'refused'
  | 'unavailable'
  | 'not-there'
  | 'log-replaced'
  | 'events-deleted'

/** The only error class of this library. `outcome` says what the caller does next. */
export class LogError extends Error {
  override readonly name = 'LogError'
  readonly outcome: LogOutcome
  /** Kafka's name of the error, e.g. `INVALID_PRODUCER_EPOCH`, if the broker sent one. */
  readonly kafkaCode: string | undefined
  /** Whether the records may be in the log: they were sent at least once without a final answer. */
  readonly mayBeAppended: boolean

  constructor(
    outcome: LogOutcome,
    message: string,
    details: { kafkaCode?: string | undefined; mayBeAppended?: boolean; cause?: unknown } = {},
  ) {
    super(message, 'cause' in details ? { cause: details.cause } : {})
    this.outcome = outcome
    this.kafkaCode = details.kafkaCode
    this.mayBeAppended = details.mayBeAppended ?? false
  }
}

/** No connection was available, so nothing was sent. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError'
}

/** This process closed the cluster object. A retry is pointless. */
export class ClusterClosedError extends Error {
  override readonly name = 'ClusterClosedError'

  constructor() {
    super('the connection to Kafka was closed by this process')
  }
}

/** `retry`: send the same request again. `refresh`: the same, after a lookup of the leader or coordinator. All others are final. */
export type Meaning = 'retry' | 'refresh' | 'fenced' | 'take-over' | 'refused' | 'not-there'

/** The meaning of each Kafka error code. This is the only place that translates them. */
export const meanings: Readonly<Record<string, Meaning>> = {
  // Transient.
  CORRUPT_MESSAGE: 'retry',
  REQUEST_TIMED_OUT: 'retry',
  NETWORK_EXCEPTION: 'retry',
  COORDINATOR_LOAD_IN_PROGRESS: 'retry',
  NOT_ENOUGH_REPLICAS: 'retry',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'retry',
  CONCURRENT_TRANSACTIONS: 'retry',
  TRANSACTION_COORDINATOR_FENCED: 'retry',
  OFFSET_NOT_AVAILABLE: 'retry',
  THROTTLING_QUOTA_EXCEEDED: 'retry',
  UNKNOWN_SERVER_ERROR: 'retry',
  REBALANCE_IN_PROGRESS: 'retry',
  // Another broker must be asked. A new topic is unknown to some brokers for a moment.
  UNKNOWN_TOPIC_OR_PARTITION: 'refresh',
  UNKNOWN_TOPIC_ID: 'refresh',
  INCONSISTENT_TOPIC_ID: 'refresh',
  LEADER_NOT_AVAILABLE: 'refresh',
  NOT_LEADER_OR_FOLLOWER: 'refresh',
  BROKER_NOT_AVAILABLE: 'refresh',
  REPLICA_NOT_AVAILABLE: 'refresh',
  FENCED_LEADER_EPOCH: 'refresh',
  UNKNOWN_LEADER_EPOCH: 'refresh',
  KAFKA_STORAGE_ERROR: 'refresh',
  COORDINATOR_NOT_AVAILABLE: 'refresh',
  NOT_COORDINATOR: 'refresh',
  NOT_CONTROLLER: 'refresh',
  // A later epoch exists.
  INVALID_PRODUCER_EPOCH: 'fenced',
  PRODUCER_FENCED: 'fenced',
  // The broker and this producer disagree about what was written.
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'take-over',
  DUPLICATE_SEQUENCE_NUMBER: 'take-over',
  UNKNOWN_PRODUCER_ID: 'take-over',
  INVALID_PRODUCER_ID_MAPPING: 'take-over',
  INVALID_TXN_STATE: 'take-over',
  TRANSACTION_ABORTABLE: 'take-over',
  TRANSACTIONAL_ID_NOT_FOUND: 'take-over',
  // A retry of the same request cannot succeed.
  MESSAGE_TOO_LARGE: 'refused',
  RECORD_LIST_TOO_LARGE: 'refused',
  INVALID_RECORD: 'refused',
  INVALID_TIMESTAMP: 'refused',
  INVALID_TOPIC_EXCEPTION: 'refused',
  TOPIC_ALREADY_EXISTS: 'refused',
  INVALID_REPLICATION_FACTOR: 'refused',
  INVALID_PARTITIONS: 'refused',
  INVALID_CONFIG: 'refused',
  INVALID_REQUEST: 'refused',
  INVALID_REQUIRED_ACKS: 'refused',
  INVALID_TRANSACTION_TIMEOUT: 'refused',
  POLICY_VIOLATION: 'refused',
  UNSUPPORTED_VERSION: 'refused',
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 'refused',
  UNSUPPORTED_COMPRESSION_TYPE: 'refused',
  TOPIC_AUTHORIZATION_FAILED: 'refused',
  GROUP_AUTHORIZATION_FAILED: 'refused',
  CLUSTER_AUTHORIZATION_FAILED: 'refused',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'refused',
  SASL_AUTHENTICATION_FAILED: 'refused',
  UNSUPPORTED_SASL_MECHANISM: 'refused',
  ILLEGAL_SASL_STATE: 'refused',
  SECURITY_DISABLED: 'refused',
  OFFSET_OUT_OF_RANGE: 'not-there',
}

export interface Classified {
  readonly meaning: Meaning
  readonly kafkaCode: string | undefined
  readonly message: string
}

/** The error and what caused it, outermost first. */
function* causesOf(error: unknown): Generator<Error> {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    yield at
    if (at instanceof MultipleErrors) yield* at.errors as Error[]
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The message of the innermost cause: `connect ECONNREFUSED 127.0.0.1:9092`, `self-signed certificate`. */
export const rootMessage = (error: unknown): string => messageOf([...causesOf(error)].at(-1) ?? error)

const protocolErrorOf = (error: unknown): ProtocolError | undefined =>
  [...causesOf(error)].find((cause) => cause instanceof ProtocolError)

/** Whether the broker rejected the login. */
export const isAuthentication = (error: unknown): boolean =>
  [...causesOf(error)].some((cause) => cause instanceof AuthenticationError)

/** Whether a retry is pointless because this process has closed its connections. */
export const isClosed = (error: unknown): boolean =>
  [...causesOf(error)].some((cause) => cause instanceof ClusterClosedError)

/** Translates an error of a request. Unlisted codes count as `retry`; the deadline bounds them, and the outcome is then unknown. */
export function classify(error: unknown): Classified {
  if (isAuthentication(error)) {
    const message = error instanceof NotSentError ? error.message : 'the broker refused these credentials'
    return { meaning: 'refused', kafkaCode: undefined, message }
  }
  const answered = protocolErrorOf(error)
  if (answered === undefined) return { meaning: 'refresh', kafkaCode: undefined, message: messageOf(error) }
  const kafkaCode = String(answered['apiId'])
  const detail = String(answered['serverErrorMessage'] ?? answered.message)
  const message = `${kafkaCode}: ${detail}`
  return {
    meaning: meanings[kafkaCode] ?? 'retry',
    kafkaCode,
    message: error instanceof NotSentError ? `${error.message} (${message})` : message,
  }
}

/** The error with advice about settings. A broker that asks for a login accepts connections without one, and closes them at the first request. */
export function withAdvice(error: unknown, advise?: (error: unknown) => string | undefined): unknown {
  const advice = advise?.(error)
  if (!(error instanceof LogError) || advice === undefined || error.message.includes(advice)) return error
  const { outcome, message, kafkaCode, cause } = error
  return new LogError(outcome, `${message}; ${advice}`, { kafkaCode, cause })
}
