import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'

import { type EventMetadata, InvalidInputError, parseStreamId, quote, type RecordedEvent } from '#domain'

import { OperationError } from '../operation-error.ts'
import type { Draft } from './imported-line.ts'
import type { Row } from './mapped-field.ts'
import { checkMapping, type MappingSpec } from './mapping-schema.ts'
import { unreadable } from '../open-file.ts'
import { parseSchemaVersion } from './schema-versions.ts'
import { type Template, templateOf } from './template.ts'
import { choiceFor, type TypeChoice, typeChoicesOf } from './type-choice.ts'

export type { Row }

type MappedEvent = Pick<RecordedEvent, 'id' | 'streamId' | 'type' | 'data' | 'metadata'>

/** Converts rows of a table to events, and events back to rows. */
export class ImportMapping {
  readonly spec: MappingSpec
  readonly file: string
  readonly #stream: Template
  readonly #id: Template | undefined
  readonly #schemaVersion: Template | undefined
  readonly #metadata: readonly (readonly [name: string, template: Template])[]
  readonly #choices: readonly TypeChoice[]
  readonly #nullMarkers: readonly string[]

  /**
   * @param json the parsed file
   * @param file its path, for errors
   * @throws OperationError `invalid-request` that names the file and the wrong field.
   */
  constructor(json: unknown, file: string) {
    this.file = file
    this.spec = checkMapping(json, file)
    const { stream, id, schemaVersion, metadata = {}, nullMarkers = [] } = this.spec
    this.#stream = templateOf(stream)
    this.#id = id === undefined ? undefined : templateOf(id)
    this.#schemaVersion = schemaVersion === undefined ? undefined : templateOf(String(schemaVersion))
    this.#metadata = Object.entries(metadata).map(([name, text]) => [name, templateOf(text)])
    this.#choices = typeChoicesOf(this.spec, file)
    this.#nullMarkers = nullMarkers
  }

  /** The columns that the mapping uses, each with the path of its first use in the mapping. */
  get columnsUsed(): ReadonlyMap<string, string> {
    const places = new Map<string, string>()
    const add = (columns: Iterable<string> | undefined, place: string) => {
      for (const column of columns ?? []) if (!places.has(column)) places.set(column, place)
    }
    add(this.#stream.columns, 'stream')
    for (const { type, when, at } of this.#choices) {
      add(when.keys(), `${at}.when`)
      add(type.columns, at)
    }
    add(this.#id?.columns, 'id')
    add(this.#schemaVersion?.columns, 'schemaVersion')
    for (const [name, template] of this.#metadata) add(template.columns, `metadata.${name}`)
    for (const { name, columns } of this.#choices.flatMap(({ fields }) => fields))
      add(columns, `data.${name}`)
    return places
  }

  /** Converts a row to an event. @throws InvalidInputError that names the part of the event and its column. */
  draftOf(row: Row): Draft {
    const { type, fields } = choiceFor(this.#choices, row)
    const draft = {
      streamId: parseStreamId(this.#render(this.#stream, row, 'streamId')),
      type: this.#render(type, row, 'type'),
      data: Object.fromEntries(fields.flatMap((field) => entriesOf(field.entryOf(row)))),
    }
    const key = this.#id && this.#render(this.#id, row, 'id')
    const version = this.#schemaVersion && this.#render(this.#schemaVersion, row, 'schemaVersion')
    return {
      ...draft,
      ...(key !== undefined && { key }),
      ...(version !== undefined && { schemaVersion: parseSchemaVersion(version) }),
      ...(this.#metadata.length > 0 && { metadata: this.#metadataOf(row) }),
    }
  }

  /** Converts an event to a row. @throws OperationError `invalid-request` that names what the row would lose, if no row gives this event. */
  rowOf(event: MappedEvent): Row {
    let reason: string | undefined
    for (const choice of this.#choices) {
      const row = this.#rowBy(choice, event)
      const lost = this.#lostIn(row, choice, event)
      if (lost === undefined) return row
      if (reason === undefined || choice.type.match(event.type) !== undefined) reason = lost
    }
    throw new OperationError(
      'invalid-request',
      `${this.file} has no row for ${event.type} of ${event.streamId}: ${reason ?? ''}`,
    )
  }

  #rowBy({ type, fields, when }: TypeChoice, event: MappedEvent): Row {
    const row = new Map<string, string>()
    const put = (values: Row | undefined) => values?.forEach((value, column) => row.set(column, value))
    for (const [column, [value = '']] of when) row.set(column, value)
    put(this.#stream.match(event.streamId))
    put(type.match(event.type))
    if (this.#id?.columns.length === 1) put(this.#id.match(event.id))
    for (const [name, template] of this.#metadata) {
      put(template.match(String(event.metadata[name] ?? '')))
    }
    const data = event.data as Readonly<Record<string, unknown>> | null
    for (const field of fields) put(field.columnsOf(data?.[field.name] ?? null))
    return row
  }

  /** What the row loses of the event, such as a field without a column. Found by reading the row back. */
  #lostIn(row: Row, { fields }: TypeChoice, { streamId, type, data }: MappedEvent): string | undefined {
    const draft = draftOrError(() => this.draftOf(row))
    if (draft instanceof InvalidInputError) return draft.message
    const omitted = fields.flatMap(({ name, isOmitted }) => (isOmitted ? [name] : []))
    const parts = { streamId, type, data: withoutOmitted(data, omitted) }
    const lost = (['streamId', 'type', 'data'] as const).find(
      (part) => !isDeepStrictEqual(draft[part], parts[part]),
    )
    return lost && `importing the row would change its ${lost} to ${JSON.stringify(draft[lost])}`
  }

  #render(template: Template, row: Row, path: string): string {
    return template.render((column) => {
      const value = row.get(column) ?? ''
      if (value === '') throw new InvalidInputError(path, `column ${column} is empty: ${path} needs it`)
      if (!this.#nullMarkers.includes(value)) return value
      throw new InvalidInputError(
        path,
        `column ${column} has the null marker ${quote(value)}: ${path} needs it`,
      )
    })
  }

  #metadataOf(row: Row): EventMetadata {
    const rendered = this.#metadata.map(([name, template]) => [
      name,
      template.render((column) => this.#valueOrEmpty(row.get(column) ?? '')),
    ])
    return Object.fromEntries(rendered.filter(([, text]) => text !== '')) as EventMetadata
  }

  #valueOrEmpty(value: string): string {
    return this.#nullMarkers.includes(value) ? '' : value
  }
}

/** Reads a mapping from its file. @throws OperationError `invalid-request` if the file cannot be read, is not JSON or not a valid mapping. */
export async function readMapping(file: string): Promise<ImportMapping> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw unreadable(file, error)
  })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new OperationError('invalid-request', `${file} is not JSON: ${(error as Error).message}`, {
      cause: error,
    })
  }
  return new ImportMapping(json, file)
}

const entriesOf = <T>(entry: T | undefined): T[] => (entry === undefined ? [] : [entry])

/** Removes the nulls of fields that are omitted when their column is empty: the schema put the nulls there. */
function withoutOmitted(data: unknown, omitted: readonly string[]): unknown {
  if (typeof data !== 'object' || data === null) return data
  return Object.fromEntries(
    Object.entries(data).filter(([name, value]) => value !== null || !omitted.includes(name)),
  )
}

function draftOrError(read: () => Draft): Draft | InvalidInputError {
  try {
    return read()
  } catch (error) {
    if (error instanceof InvalidInputError) return error
    throw error
  }
}
