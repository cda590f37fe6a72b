import type { EventMetadata, StreamId } from '#domain'
import type { IdentifiedEvent } from '#event-store'

/** The content of a line before its event id is assigned. */
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

/** A line whose shape is valid. */
export interface DraftLine extends Draft {
  /** From 1; the first line of a record that spans several. */
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

/** Why a line is not an event, or why its event was rejected. */
export class LineProblem {
  readonly line: number
  readonly message: string
  readonly path: string | undefined
  /** Undefined if it could not be read. */
  readonly streamId: StreamId | undefined

  constructor(line: number, message: string, about: { path?: string; streamId?: StreamId | undefined } = {}) {
    this.line = line
    this.message = message
    this.path = about.path
    this.streamId = about.streamId
  }
}
