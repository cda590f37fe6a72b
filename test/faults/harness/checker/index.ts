export { check } from './check.ts'
export { readRemains, type Where } from './remains/read-remains.ts'
export { type Violation } from './violation.ts'
