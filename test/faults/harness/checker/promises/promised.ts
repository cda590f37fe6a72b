import type { Evidence } from '../evidence.ts'
import type { Finding } from '../violation.ts'

/** One promise of the product, and the check that finds violations. Pure. */
export interface Promised {
  readonly name: string
  readonly broken: (evidence: Evidence) => Iterable<Finding>
}
