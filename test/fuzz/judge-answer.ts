import { errorTable } from '#event-store'
import { refusalCodes } from '#http'

import type { RawAnswer, RawRequest } from './raw-http.ts'

/** Codes that ask the caller to retry: nothing is wrong then. */
const passing: readonly unknown[] = ['projection-behind', 'overloaded']

/** What is wrong with the answer to a possibly invalid request; undefined if nothing is. */
export function faultOf(request: RawRequest, { status, type, body }: RawAnswer): string | undefined {
  if (status >= 200 && status < 300) return undefined
  if (status < 400) return status === 0 ? 'the connection ended without an answer' : `status ${status}`
  if (request.method === 'HEAD') return status >= 500 ? `status ${status}` : undefined
  if (!type.startsWith('application/problem+json'))
    return `status ${status} with ${type || 'no type'}: ${body}`
  return faultOfProblem(status, body)
}

function faultOfProblem(status: number, body: string): string | undefined {
  const problem = JSON.parse(body) as Readonly<Record<string, unknown>>
  const { code, detail } = problem
  if (problem['status'] !== status) return `status ${status}, but the body says ${body}`
  if (
    typeof code !== 'string' ||
    !(Object.hasOwn(errorTable, code) || (refusalCodes as readonly string[]).includes(code))
  )
    return `unknown code: ${body}`
  if (typeof detail !== 'string' || detail === '') return `no message: ${body}`
  if (/\n\s+at |node_modules|\.ts:\d/.test(body)) return `a stack trace: ${body}`
  return status >= 500 && !passing.includes(code) ? `status ${status}: ${body}` : undefined
}
