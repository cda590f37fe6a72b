export { recordCases } from './arbitrary-schema.ts'
export { type DefaultCase, defaultCases } from './default-cases.ts'
export { FakeRegistry } from './fake-registry.ts'
