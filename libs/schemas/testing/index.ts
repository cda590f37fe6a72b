export { recordCases } from './arbitrary-schema.ts'
export { type DefaultCase, defaultCases } from './default-cases.ts'
