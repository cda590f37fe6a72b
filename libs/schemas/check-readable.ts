import { RecordCodec } from './record-codec.ts'
import { sampleValue } from './sample-value.ts'
import type { SchemaCatalog } from './schema-catalog.ts'
import { reasonOf } from './schema-error.ts'
import type { SchemaProblem } from './schema-problem.ts'
import type { SchemaVersion } from './schema-version.ts'

const remedy = 'Events could be written with it but not read: choose other names or types for its fields'

/** Every version reads what it writes. */
export const checkReadable = (catalog: SchemaCatalog): readonly SchemaProblem[] =>
  catalog.all.flatMap((schema) => {
    try {
      return readsItself(schema) ? [] : [problem(schema, 'its sample reads as a different value')]
    } catch (error) {
      return [problem(schema, `its sample cannot be written and read: ${reasonOf(error)}`)]
    }
  })

const problem = ({ file }: SchemaVersion, message: string): SchemaProblem => ({ file, message, remedy })

/** Compares bytes, because a value may be read in another form than the sample has, e.g. a number of 32 bits. */
function readsItself(schema: SchemaVersion): boolean {
  const codec = new RecordCodec(schema)
  const bytes = codec.encode(0, sampleValue(schema.shape))
  return codec.encode(0, codec.readerOf(schema.type)(bytes)).equals(bytes)
}
