export { checkDomainSchemas } from './check-domain-schemas.ts'
export { checkSchemas } from './check-schemas.ts'
export { type EventCheck, eventCheckOf } from './event-check.ts'
export { EventCodec, type EventCodecOptions } from './event-codec.ts'
export { Observed, type Proposal, type ProposedField, proposeSchema } from './infer/index.ts'
export { jsonViewName, jsonViewSchema } from './json-view-schema.ts'
export { pushSchemas } from './push-schemas.ts'
export { releaseSchemas } from './release-schemas.ts'
export { type RegistryOptions } from './registry-http.ts'
export { schemaIdOf } from './record-codec.ts'
export { loadCatalog, SchemaCatalog } from './schema-catalog.ts'
export { SchemaError, type SchemaErrorCode, UnknownEventTypeError } from './schema-error.ts'
export { RecordCodec } from './record-codec.ts'
export { RecordReader, unknownSchema } from './record-reader.ts'
export { type Sample, SchemaFolder } from './schema-folder.ts'
export { formatProblem, type SchemaProblem } from './schema-problem.ts'
export {
  type CompatibilityVerdict,
  type RegisteredSchema,
  SchemaRegistry,
  type SchemaUse,
} from './schema-registry.ts'
export { type SchemaRole, type SchemaVersion, schemaVersionOf } from './schema-version.ts'
export { generateTypes } from './generate-types.ts'
