import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'

import { type EventMetadata, InvalidInputError, parseStreamId, type RecordedEvent } from '#domain'

import { UsageError } from '../failure.ts'
import { type FieldValue, fieldValueOf, parseColumn } from './field-value.ts'
import type { Draft } from './imported-line.ts'
import { checkMapping, type ColumnField, type FieldSpec, type MappingSpec } from './mapping-schema.ts'
import { unreadable } from './open-file.ts'
import { type Template, templateOf } from './template.ts'

interface ColumnOf {
  readonly name: string
  readonly path: string
  readonly spec: ColumnField
  readonly value: FieldValue
}

type Field = ColumnOf | { readonly name: string; readonly constant: unknown }

/** The values of one line, by column. */
export type Row = ReadonlyMap<string, string>

/** Rows of a table as events, and back. */
export class Mapping {
  readonly spec: MappingSpec
  readonly file: string
  readonly #stream: Template
  readonly #type: Template
  readonly #id: Template | undefined
  readonly #metadata: readonly (readonly [name: string, template: Template])[]
  readonly #fields: readonly Field[]

  /** @throws UsageError that names the file, and what in it is wrong. */
  constructor(json: unknown, file: string) {
    this.file = file
    this.spec = checkMapping(json, file)
    const { stream, type, id, metadata = {}, data } = this.spec
    this.#stream = templateOf(stream)
    this.#type = templateOf(type)
    this.#id = id === undefined ? undefined : templateOf(id)
    this.#metadata = Object.entries(metadata).map(([name, text]) => [name, templateOf(text)])
    this.#fields = Object.entries(data).map(([name, spec]) => fieldOf(name, spec, file))
  }

  /** The columns that the mapping speaks of, each with where it does. */
  get columnsUsed(): ReadonlyMap<string, string> {
    const places = new Map<string, string>()
    const add = (column: string, place: string) => places.has(column) || places.set(column, place)
    this.#stream.columns.forEach((column) => add(column, 'stream'))
    this.#type.columns.forEach((column) => add(column, 'type'))
    this.#id?.columns.forEach((column) => add(column, 'id'))
    for (const [name, template] of this.#metadata) {
      template.columns.forEach((column) => add(column, `metadata.${name}`))
    }
    for (const field of this.#fields) if ('spec' in field) add(field.spec.column, `data.${field.name}`)
    return places
  }

  /** @throws InvalidInputError that names the part of the event, and its column. */
  draftOf(row: Row): Draft {
    const draft = {
      streamId: parseStreamId(render(this.#stream, row, 'streamId')),
      type: render(this.#type, row, 'type'),
      data: Object.fromEntries(this.#fields.flatMap((field) => entryOf(field, row))),
    }
    const key = this.#id && render(this.#id, row, 'id')
    return {
      ...draft,
      ...(key !== undefined && { key }),
      ...(this.#metadata.length > 0 && { metadata: this.#metadataOf(row) }),
    }
  }

  /** The row that would give this event. @throws UsageError where none would, saying what the mapping leaves out. */
  rowOf(event: Pick<RecordedEvent, 'id' | 'streamId' | 'type' | 'data' | 'metadata'>): Row {
    const row = new Map<string, string>()
    const put = (values: Row | undefined) => values?.forEach((value, column) => row.set(column, value))
    put(this.#stream.match(event.streamId))
    put(this.#type.match(event.type))
    if (this.#id?.columns.length === 1) put(this.#id.match(event.id))
    for (const [name, template] of this.#metadata) {
      put(template.match(event.metadata[name as keyof EventMetadata] ?? ''))
    }
    for (const field of this.#fields) putField(row, field, event.data)
    this.#checkReverse(row, event)
    return row
  }

  #metadataOf(row: Row): EventMetadata {
    const rendered = this.#metadata.map(([name, template]) => [
      name,
      template.render((column) => row.get(column) ?? ''),
    ])
    return Object.fromEntries(rendered.filter(([, text]) => text !== '')) as EventMetadata
  }

  /** Whatever a mapping cannot tell, be it another type or a field without a column, shows when its row is read again. */
  #checkReverse(row: Row, { streamId, type, data }: Pick<RecordedEvent, 'streamId' | 'type' | 'data'>): void {
    const again = draftOrReason(() => this.draftOf(row))
    if (again instanceof InvalidInputError) throw this.#cannotTell(streamId, type, again.message)
    const parts = { streamId, type, data: this.#withoutOmitted(data) }
    const lost = (['streamId', 'type', 'data'] as const).find(
      (part) => !isDeepStrictEqual(again[part], parts[part]),
    )
    if (lost !== undefined) {
      const told = `its ${lost} would be ${JSON.stringify(again[lost])} when it is read again`
      throw this.#cannotTell(streamId, type, told)
    }
  }

  /** Where an empty column leaves a field out, null is what the schema put there. */
  #withoutOmitted(data: unknown): unknown {
    if (typeof data !== 'object' || data === null) return data
    const omitted = new Set(
      this.#fields.flatMap((field) => ('spec' in field && field.spec.empty === 'omit' ? [field.name] : [])),
    )
    return Object.fromEntries(
      Object.entries(data).filter(([name, value]) => value !== null || !omitted.has(name)),
    )
  }

  #cannotTell(streamId: string, type: string, why: string): UsageError {
    return new UsageError(`${this.file} has no row for ${type} of ${streamId}: ${why}`)
  }
}

/** @throws UsageError where the file cannot be read, is not JSON, or not a mapping. */
export async function readMapping(file: string): Promise<Mapping> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw unreadable(file, error)
  })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}`, { cause: error })
  }
  return new Mapping(json, file)
}

function fieldOf(name: string, spec: FieldSpec, file: string): Field {
  if ('constant' in spec) return { name, constant: spec.constant }
  const path = `data.${name}`
  return { name, path, spec, value: fieldValueOf(spec, `${file}: ${path}`) }
}

const render = (template: Template, row: Row, path: string): string =>
  template.render((column) => {
    const value = row.get(column) ?? ''
    if (value === '') throw new InvalidInputError(path, `column ${column} is empty: ${path} needs it`)
    return value
  })

function entryOf(field: Field, row: Row): [string, unknown][] {
  if ('constant' in field) return [[field.name, field.constant]]
  const { name, path, spec, value } = field
  const text = row.get(spec.column) ?? ''
  if (text === '' && spec.empty === 'omit') return []
  if (text === '' && spec.empty === 'null') return [[name, null]]
  return [[name, parseColumn(value, text, path, spec.column)]]
}

function putField(row: Map<string, string>, field: Field, data: unknown): void {
  if (!('spec' in field)) return
  const value = (data as Readonly<Record<string, unknown>> | null)?.[field.name] ?? null
  row.set(field.spec.column, value === null ? '' : field.value.format(value))
}

function draftOrReason(read: () => Draft): Draft | InvalidInputError {
  try {
    return read()
  } catch (error) {
    if (error instanceof InvalidInputError) return error
    throw error
  }
}
