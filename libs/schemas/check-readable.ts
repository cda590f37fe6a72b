import { RecordCodec } from './record-codec.ts'
import { sampleValue } from './sample-value.ts'
import type { SchemaCatalog } from './schema-catalog.ts'
import { reasonOf } from './schema-error.ts'
import type { SchemaProblem } from './schema-problem.ts'
import type { SchemaVersion } from './schema-version.ts'

const remedy = 'Events with it could be written and not read: name its fields and types otherwise'

/** What each version writes, it reads. */
export const checkReadable = (catalog: SchemaCatalog): readonly SchemaProblem[] =>
  catalog.all.flatMap((schema) => {
    try {
      return readsItself(schema) ? [] : [problem(schema, 'a sample of it is read as something else')]
    } catch (error) {
      return [problem(schema, `a sample of it cannot be written and read: ${reasonOf(error)}`)]
    }
  })

const problem = ({ file }: SchemaVersion, message: string): SchemaProblem => ({ file, message, remedy })

/** Bytes are compared: what is read may be written otherwise than the sample, e.g. a number of 32 bits. */
function readsItself(schema: SchemaVersion): boolean {
  const codec = new RecordCodec(schema)
  const bytes = codec.encode(0, sampleValue(schema.shape))
  return codec.encode(0, codec.readerOf(schema.type)(bytes)).equals(bytes)
}
