/** An append of one event to UmaDB. */
export interface UmaDbAppend {
  readonly type: string
  /** The tag of the event: its stream. The append fails if any event has it. */
  readonly tag: string
  readonly data: Buffer
  readonly uuid: string
}

/** The numbers of the fields in UmaDB's messages, version 1 of its protocol. All of these fields are strings, bytes or messages. */
const request = { events: 1, condition: 2 } as const
const event = { type: 1, tags: 2, data: 3, uuid: 4 } as const
const condition = { failIfEventsMatch: 1 } as const
const query = { items: 1 } as const
const queryItem = { tags: 2 } as const

const lengthDelimited = 2

/** Encodes the request of `umadb.v1.DCB/Append` with the condition that no event has the tag. */
export function appendRequest({ type, tag, data, uuid }: UmaDbAppend): Buffer {
  const tagBytes = Buffer.from(tag)
  const item = field(queryItem.tags, tagBytes)
  const parts = [
    field(event.type, Buffer.from(type)),
    field(event.tags, tagBytes),
    field(event.data, data),
    field(event.uuid, Buffer.from(uuid)),
  ]
  return Buffer.concat([
    field(request.events, Buffer.concat(parts)),
    field(request.condition, field(condition.failIfEventsMatch, field(query.items, item))),
  ])
}

const field = (number: number, bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | lengthDelimited, ...varint(bytes.length)]), bytes])

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return [...bytes, rest]
}
