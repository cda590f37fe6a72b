import type { EventMetadata, StreamId } from '#domain'
import type { IdentifiedEvent } from '#event-store'

/** The content of a line before it has its id. */
export interface Draft {
  readonly streamId: StreamId
  readonly type: string
  readonly data: unknown
  /** A UUID, or another key that is unique within the source. */
  readonly key?: string
  readonly metadata?: EventMetadata
  /** The schema version of its data; by default the latest. */
  readonly schemaVersion?: number
}

/** A line that is sound by itself. */
export interface DraftLine extends Draft {
  /** From 1; of a record over several lines the first. */
  readonly line: number
  /** The canonical text of its data, which identifies a line without a key. */
  readonly content?: string
}

/** An event of the file, ready to be appended. */
export interface EventLine {
  readonly line: number
  readonly streamId: StreamId
  readonly event: IdentifiedEvent
}

/** Why a line is no event, or why its event was refused. */
export class LineProblem {
  readonly line: number
  readonly message: string
  readonly path: string | undefined
  /** Absent where it could not be read. */
  readonly streamId: StreamId | undefined

  constructor(line: number, message: string, about: { path?: string; streamId?: StreamId | undefined } = {}) {
    this.line = line
    this.message = message
    this.path = about.path
    this.streamId = about.streamId
  }
}
