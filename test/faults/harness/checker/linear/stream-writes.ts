import type { AppendOperation, LoggedEvent } from '../../history.ts'
import type { Evidence } from '../evidence.ts'

/** One append as it took effect: its versions, and those who may have brought it about. */
export interface StreamWrite {
  readonly firstVersion: number
  readonly lastVersion: number
  /** All that sent it and were not refused. Empty where nobody did: another promise says so. */
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
 * Those who may have brought it about: the one who was told so, or else anybody whose expectation was met. The others found
 * it there, or never learnt.
 */
export function causesOf({ firstVersion, senders }: StreamWrite): readonly AppendOperation[] {
  const told = senders.filter(({ outcome }) => outcome.is === 'acknowledged' && !outcome.duplicate)
  return (told.length > 0 ? told : senders).filter((append) => isMet(append, firstVersion - 1))
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
