export { check } from './check.ts'
export { countedEvents } from './counted.ts'
export { readRemains, type Where } from './remains/read-remains.ts'
export { type Violation } from './violation.ts'
