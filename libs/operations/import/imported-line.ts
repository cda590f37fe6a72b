import type { EventMetadata, StreamId } from '#domain'
import type { IdentifiedEvent } from '#event-store'

/** What a line says, before it has its id. */
export interface Draft {
  readonly streamId: StreamId
  readonly type: string
  readonly data: unknown
  /** A UUID, or whatever else tells this event from all others of its source. */
  readonly key?: string
  readonly metadata?: EventMetadata
  /** In which its data is; by default the latest. */
  readonly schemaVersion?: number
}

/** A line that is sound by itself. */
export interface DraftLine extends Draft {
  /** From 1; of a record over several lines the first. */
  readonly line: number
  /** One text for all spellings of its data, by which a line without a key is known. */
  readonly content?: string
}

/** An event of the file, ready to be appended. */
export interface EventLine {
  readonly line: number
  readonly streamId: StreamId
  readonly event: IdentifiedEvent
}

/** Why a line gives no event, or its event was refused. */
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
