import { DatabaseError } from 'pg'

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const retriable = ['40001', '40P01'] // serialization failure, deadlock
const missing = ['42P01', '3F000', '42703'] // table, schema, column
const unavailableCodes = [
  '55P03', // lock not available in time
  '25P03', // idle in transaction for too long
  '25006', // read-only: a standby, or a primary that has become one
  '42501', // a missing right, which can be granted
]
/**
 * Connection; authorization and catalog name, since passwords change and databases are restored; resources; operator
 * intervention; system.
 */
const unavailableClasses = ['08', '28', '3D', '53', '57', '58']

const codeOf = (error: unknown): string => (error instanceof DatabaseError && error.code) || ''

/** Whether PostgreSQL rolled a transaction back only because of concurrent ones. */
export const isRetriable = (error: unknown): boolean => retriable.includes(codeOf(error))

/** Whether a retry may succeed later. */
export const isUnavailable = (error: unknown): boolean =>
  unavailableCodes.includes(codeOf(error)) || unavailableClasses.includes(codeOf(error).slice(0, 2))

/** Whether a table or a column is missing: the tables of a discarded generation are dropped. */
export const isMissingTable = (error: unknown): boolean => missing.includes(codeOf(error))

/** The result of `work`, or `otherwise` when a table is missing. */
export async function unlessMissing<Result>(otherwise: Result, work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    if (isMissingTable(error)) return otherwise
    throw error
  }
}
