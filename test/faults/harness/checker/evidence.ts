import type {
  AppendOperation,
  LoggedEvent,
  Operation,
  ReadOperation,
  Remains,
  StateOperation,
} from '../history.ts'

/** Ids are scoped to their stream: the same id in another stream is another event. */
export const eventKey = (streamId: string, id: string): string => `${streamId} ${id}`

/** The input of all promises: the history and the remaining state, grouped by stream and by event. */
export class Evidence {
  readonly operations: readonly Operation[]
  readonly remains: Remains
  /** Each stream's events in the order of the log. */
  readonly streams: ReadonlyMap<string, readonly LoggedEvent[]>
  /** By {@link eventKey}. */
  readonly logged: ReadonlyMap<string, readonly LoggedEvent[]>
  /** The appends that contain an event, by {@link eventKey}, in the order of the calls. */
  readonly appends: ReadonlyMap<string, readonly AppendOperation[]>

  constructor(operations: readonly Operation[], remains: Remains) {
    this.operations = operations
    this.remains = remains
    this.streams = Map.groupBy(remains.log, ({ streamId }) => streamId)
    this.logged = Map.groupBy(remains.log, ({ streamId, id }) => eventKey(streamId, id))
    this.appends = appendsByEvent(operations)
  }

  appendsOf({
    streamId,
    id,
  }: {
    readonly streamId: string
    readonly id: string
  }): readonly AppendOperation[] {
    return this.appends.get(eventKey(streamId, id)) ?? []
  }

  /** A stream's events in the order of their versions. */
  versions(streamId: string): readonly LoggedEvent[] {
    return (this.streams.get(streamId) ?? []).toSorted((one, other) => one.version - other.version)
  }

  ofStream(streamId: string): readonly (AppendOperation | ReadOperation | StateOperation)[] {
    return this.#byStream.get(streamId) ?? []
  }

  /** All streams that are in the log or were requested. */
  get streamIds(): ReadonlySet<string> {
    return new Set([...this.streams.keys(), ...this.#byStream.keys()])
  }

  get #byStream(): ReadonlyMap<string, readonly (AppendOperation | ReadOperation | StateOperation)[]> {
    return (this.#grouped ??= Map.groupBy(
      this.operations.filter((operation) => operation.kind !== 'view'),
      ({ streamId }) => streamId,
    ))
  }

  #grouped: ReadonlyMap<string, readonly (AppendOperation | ReadOperation | StateOperation)[]> | undefined
}

function appendsByEvent(operations: readonly Operation[]): Map<string, AppendOperation[]> {
  const found = new Map<string, AppendOperation[]>()
  for (const operation of operations) {
    if (operation.kind !== 'append') continue
    for (const { id } of operation.events) {
      const key = eventKey(operation.streamId, id)
      const known = found.get(key)
      if (known === undefined) found.set(key, [operation])
      else known.push(operation)
    }
  }
  return found
}
