import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry'

import { deadlineIn, within } from '#async'
import { SchemaError, unknownSchema } from '#schemas'

import { noAnswer } from './registry-timeout.ts'

/** The part of `SchemaRegistry` that the decoder uses. */
export type RegistryClient = Pick<SchemaRegistry, 'getSchema'>

/**
 * Looks up a schema with the caller's client. The result is Avro's JSON without docs, defaults and logical types, which is
 * enough to read data that was written with it.
 * @throws SchemaError `unknown-schema` when the registry does not have it, or the client cannot read it;
 *   `registry-unreachable` after `timeoutMs` and for all other failures, which may be temporary.
 */
export async function lookUpSchema(
  client: RegistryClient,
  schemaId: number,
  timeoutMs: number,
): Promise<string> {
  let found: unknown
  try {
    found = await within(deadlineIn(timeoutMs), client.getSchema(schemaId), () => noAnswer(timeoutMs))
  } catch (error) {
    throw failureOf(schemaId, error)
  }
  if (!isAvroType(found)) throw unknownSchema(schemaId, 'is not an Avro schema')
  return JSON.stringify(found.schema())
}

/** The client returns Avro schemas as types of avsc. Its declarations hide that. */
const isAvroType = (schema: unknown): schema is { schema(): unknown } =>
  typeof schema === 'object' && schema !== null && 'schema' in schema && typeof schema.schema === 'function'

function failureOf(schemaId: number, error: unknown): SchemaError {
  const reason = error instanceof Error ? error.message : String(error)
  if (isAboutSchema(error)) return unknownSchema(schemaId, `cannot be used: ${reason}`)
  return new SchemaError(
    'registry-unreachable',
    `schema id ${schemaId} could not be looked up (${reason}): check that the schema registry is up, and the client's host`,
    { schemaId },
    { cause: error },
  )
}

/** The client reports 404 as a status, and a schema that it cannot parse by an error class that it does not export. */
const isAboutSchema = (error: unknown): boolean =>
  error instanceof Error &&
  (('status' in error && error.status === 404) || error.name === 'ConfluentSchemaRegistryArgumentError')
