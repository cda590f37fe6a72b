import { type AppendResult, formatPosition, type RecordedEvent } from '#domain'

/** An event as it stands in answers: the same, but for its position, which is a token. */
export const toWireEvent = (event: RecordedEvent) => ({ ...event, position: formatPosition(event.position) })

export const toWireResult = (result: AppendResult) => ({
  ...result,
  position: formatPosition(result.position),
})
