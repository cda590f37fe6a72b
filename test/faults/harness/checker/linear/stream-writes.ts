import type { AppendOperation, LoggedEvent } from '../../history.ts'
import type { Evidence } from '../evidence.ts'

/** One append as it took effect: its versions, and the operations that may have caused it. */
export interface StreamWrite {
  readonly firstVersion: number
  readonly lastVersion: number
  /** All operations that sent it and were not rejected. Empty if no client sent it: another promise reports that. */
  readonly senders: readonly AppendOperation[]
}

/** A stream's appends in the order of their versions. */
export function streamWrites(evidence: Evidence, streamId: string): readonly StreamWrite[] {
  const events = evidence.versions(streamId)
  const writes: StreamWrite[] = []
  for (let at = 0; at < events.length;) {
    const write = writeAt(evidence, events, at)
    writes.push(write)
    at = write.lastVersion
  }
  return writes
}

function writeAt(evidence: Evidence, events: readonly LoggedEvent[], at: number): StreamWrite {
  const event = events[at]
  const asked = event === undefined ? [] : evidence.appendsOf(event)
  const whole = asked.filter(
    (append) =>
      append.outcome.is !== 'refused' &&
      append.events.every(({ id }, index) => events[at + index]?.id === id),
  )
  const count = Math.max(1, ...whole.map((append) => append.events.length))
  return {
    firstVersion: at + 1,
    lastVersion: at + count,
    senders: whole.filter((append) => append.events.length === count),
  }
}

/**
 * The operations that may have caused it: the one that was acknowledged as such, otherwise all whose expectation was
 * met. The others found it in the log, or never got an answer.
 */
export function causesOf({ firstVersion, senders }: StreamWrite): readonly AppendOperation[] {
  const acknowledged = senders.filter(({ outcome }) => outcome.is === 'acknowledged' && !outcome.duplicate)
  return (acknowledged.length > 0 ? acknowledged : senders).filter((append) =>
    isMet(append, firstVersion - 1),
  )
}

export function isMet({ expectedVersion }: AppendOperation, version: number): boolean {
  switch (expectedVersion) {
    case 'any':
      return true
    case 'no-stream':
      return version === 0
    case 'stream-exists':
      return version > 0
    default:
      return version === expectedVersion
  }
}
