import { type ErrorCode, type ErrorDetails, errorTable, EventStoreError, type Retry } from './errors.ts'

/** An error as application/problem+json, RFC 9457. The error details are extra members. */
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

/** The problem document of an error. Long messages and paths are cut. */
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

/** Messages and paths contain names from the request, which may be megabytes long. */
const detailLengthMax = 2_000
const pathLengthMax = 500

const cut = (text: string, lengthMax: number): string =>
  text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text

/**
 * The error that an HTTP response reports. A response without a known code comes from a proxy or another version of Annals. Its
 * status then determines the error.
 * @param body JSON of the response; undefined when it has none.
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
  if (status === 401) return 'unauthenticated'
  if (status === 403) return 'forbidden'
  if (status === 413) return 'append-too-large'
  if (status === 429) return 'limit-exceeded'
  if (status === 503) return 'unavailable'
  // A gateway that received no answer does not know whether the request took effect.
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
