import { type ErrorCode, type ErrorDetails, errorTable, EventStoreError, type Retry } from './errors.ts'

/** An error as it travels: application/problem+json, RFC 9457. The details stand beside the standard members. */
export interface Problem extends ErrorDetails {
  /** `urn:annals:problem:<code>` */
  readonly type: string
  readonly title: string
  /** The HTTP status. */
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly retry: Retry
}

export function toProblem({ code, message, details }: EventStoreError): Problem {
  const { httpStatus: status, retry, title } = errorTable[code]
  return {
    type: `urn:annals:problem:${code}`,
    title,
    status,
    detail: cut(message, detailLengthMax),
    code,
    retry,
    ...details,
    ...(details.path !== undefined && { path: cut(details.path, pathLengthMax) }),
  }
}

/** Names in a request are part of messages and paths: who sends megabytes does not get them back. */
const detailLengthMax = 2_000
const pathLengthMax = 500

const cut = (text: string, lengthMax: number): string =>
  text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text

/**
 * The error that an answer stands for. An answer without a known code comes from something in between (a proxy, another
 * version): its status then says what may be done.
 * @param body the answer's JSON; undefined where it had none.
 */
export function fromProblem(status: number, body: unknown): EventStoreError {
  const problem = isObject(body) ? (body as Partial<Problem>) : {}
  const code = isErrorCode(problem.code) ? problem.code : codeOfStatus(status)
  return new EventStoreError(
    code,
    problem.detail ?? `answered with HTTP status ${status}`,
    detailsOf(problem),
  )
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(errorTable, code)

function codeOfStatus(status: number): ErrorCode {
  if (status === 413) return 'append-too-large'
  if (status === 429 || status === 503) return 'unavailable'
  // A gateway that got no answer does not know what became of the request.
  if (status === 408 || status === 502 || status === 504) return 'outcome-unknown'
  return status >= 400 && status < 500 ? 'invalid-request' : 'internal'
}

function detailsOf({ path, expected, actual, known, retryAfterSeconds }: Partial<Problem>): ErrorDetails {
  return {
    ...(path !== undefined && { path }),
    ...(expected !== undefined && { expected }),
    ...(actual !== undefined && { actual }),
    ...(known !== undefined && { known }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  }
}
