import { type AppendResult, formatPosition, type RecordedEvent } from '#domain'

/** An event in its HTTP form, with its position as text. */
export const toWireEvent = (event: RecordedEvent) => ({ ...event, position: formatPosition(event.position) })

export const toWireResult = (result: AppendResult) => ({
  ...result,
  position: formatPosition(result.position),
})
