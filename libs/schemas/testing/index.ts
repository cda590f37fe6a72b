export { recordCases, type SchemaCase } from './arbitrary-schema.ts'
