import { RecordCodec } from './record-codec.ts'
import type { SchemaCatalog } from './schema-catalog.ts'
import { UnknownEventTypeError } from './schema-error.ts'

/** @throws InvalidInputError with the path of the field that does not fit; UnknownEventTypeError */
export type EventCheck = (aggregateType: string, eventType: string, data: unknown) => void

/** Checks data as {@link EventCodec.encode} would, by the latest schemas of the catalog alone: no registry is asked. */
export function eventCheckOf(catalog: SchemaCatalog): EventCheck {
  const codecs = new Map<string, RecordCodec>()
  const codecOf = (aggregateType: string, eventType: string): RecordCodec => {
    const schema = catalog.latest(aggregateType, eventType)
    if (schema?.role !== 'event') {
      throw new UnknownEventTypeError(aggregateType, eventType, catalog.names(aggregateType, 'event'))
    }
    return new RecordCodec(schema)
  }
  return (aggregateType, eventType, data) => {
    const key = `${aggregateType}.${eventType}`
    const codec = codecs.get(key) ?? codecOf(aggregateType, eventType)
    codecs.set(key, codec)
    codec.encode(0, data)
  }
}
