import { createHash } from 'node:crypto'

import { escapeIdentifier, escapeLiteral } from 'pg'

import type { StoredProjection, ViewSet } from '#projections'

/** PostgreSQL truncates longer names. */
const identifierBytesMax = 63
/** The columns of every table of views. */
const ownColumns = ['key', 'view', 'exact', 'revision', 'changed_at', 'expires_at']
/** The system columns of every table. */
const takenColumns = [...ownColumns, 'tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid', 'oid']

/**
 * The names of all objects in the database, quoted. The store's own names begin with an underscore; no projection's name does.
 */
export class SqlNames {
  /** The schema, not quoted. */
  readonly schemaName: string
  readonly schema: string
  readonly generations: string
  readonly checkpoints: string
  readonly parked: string
  readonly stops: string
  /** The function that notes that a table was truncated. */
  readonly noteTruncation: string
  /** The sequence of revisions. */
  readonly revisions: string
  /** SQL for the next revision. */
  readonly nextRevision: string

  constructor(schema: string) {
    this.schemaName = schema
    this.schema = escapeIdentifier(schema)
    this.generations = this.#qualified('_generations')
    this.checkpoints = this.#qualified('_checkpoints')
    this.parked = this.#qualified('_parked')
    this.stops = this.#qualified('_stops')
    this.noteTruncation = this.#qualified('_note_truncation')
    this.revisions = this.#qualified('_revisions')
    this.nextRevision = `nextval(${escapeLiteral(this.revisions)})`
  }

  /** A table that all projections share, by its name alone. */
  shared(table: string): string {
    return this.#qualified(table)
  }

  /** The table of a generation's views. It is derived from the names alone, so that a read needs no lookup first. */
  views(set: ViewSet): string {
    return this.#qualified(viewsTable(set))
  }

  /** The table of keys whose last change the changelog lacks. */
  unpublished(set: ViewSet): string {
    return this.#qualified(`_unpublished_${setHash(set)}`)
  }

  /** The SQL view that shows people the serving generation. */
  readable(projection: StoredProjection): string {
    return this.#qualified(readableName(projection.name))
  }

  /** The number of the advisory lock of a projection, or of the whole schema. */
  lockKey(projection?: StoredProjection): string {
    const digest = createHash('sha256')
      .update(`annals\0${this.schemaName}\0${projection?.name ?? ''}`)
      .digest()
    return digest.readBigInt64BE().toString()
  }

  #qualified(name: string): string {
    return `${this.schema}.${escapeIdentifier(name)}`
  }
}

/** Not quoted. */
const viewsTable = (set: ViewSet): string => `_views_${setHash(set)}`

/** Not quoted. A projection's name with underscores for hyphens, so that SQL needs no quotes; a long one is cut. */
export function readableName(projection: string): string {
  const name = projection.replaceAll('-', '_')
  if (name.length <= identifierBytesMax) return name
  // A dollar sign marks a truncated name: no other name has one, and it needs no quotes.
  return `${name.slice(0, identifierBytesMax - 9)}$${hash(projection, 8)}`
}

/**
 * Columns of declared indexes, quoted, by the index's name: named as the index, or `figure_1` … when SQL does not allow that.
 */
export function figureColumns(indexNames: readonly string[]): ReadonlyMap<string, string> {
  const taken = new Set([...takenColumns, ...indexNames])
  const free = (): string => {
    let number = 1
    while (taken.has(`figure_${number}`)) number += 1
    taken.add(`figure_${number}`)
    return `figure_${number}`
  }
  return new Map(indexNames.map((name) => [name, escapeIdentifier(canBeColumn(name) ? name : free())]))
}

/** All columns of a table of views, quoted. */
export const columnsOfViews = (indexNames: readonly string[]): readonly string[] => [
  ...ownColumns.map((column) => escapeIdentifier(column)),
  ...figureColumns(indexNames).values(),
]

/** All columns of a table of keys whose last change the changelog lacks, quoted. */
export const columnsOfUnpublished = ['key', 'revision', 'changed_at'].map((column) =>
  escapeIdentifier(column),
)

const canBeColumn = (name: string): boolean =>
  name !== '' &&
  name.isWellFormed() &&
  !name.includes('\0') &&
  Buffer.byteLength(name) <= identifierBytesMax &&
  !takenColumns.includes(name)

const setHash = ({ projection, generation }: ViewSet): string => hash(`${projection.name}\0${generation}`, 16)

const hash = (text: string, digits: number): string =>
  createHash('sha256').update(text).digest('hex').slice(0, digits)
