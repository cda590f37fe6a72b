import { type SchemaVersion, schemaVersionOf } from './schema-version.ts'

/** Name of the built-in schema. */
export const jsonViewName = 'View'

/**
 * The built-in schema of views whose projection declares none: a record with the view's JSON as text. @param
 * projection name
 */
export const jsonViewSchema = (projection: string): SchemaVersion =>
  schemaVersionOf(
    {
      file: `the built-in schema of ${projection}'s views`,
      aggregateType: projection,
      name: jsonViewName,
      version: 1,
    },
    {
      type: 'record',
      name: jsonViewName,
      namespace: `projections.${projection.replaceAll('-', '_')}`,
      role: 'view',
      doc: 'A view of a projection that declares no schema.',
      fields: [{ name: 'json', type: 'string', doc: 'The view as JSON.' }],
    },
  )
