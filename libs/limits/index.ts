export { type Allowance, type InProgress } from './allowance.ts'
export { type LimitName } from './limit-names.ts'
export { PrincipalLimits } from './principal-limits.ts'
