import { setTimeout as pause } from 'node:timers/promises'

import {
  classify,
  type Classified,
  isClosed,
  LogError,
  type LogOutcome,
  NotSentError,
} from './kafka-errors.ts'

const pauseMsMin = 2
const pauseMsMax = 250

/** The moment, on the clock of `performance.now()`, up to which something is tried. */
export const deadlineIn = (timeoutMs: number): number => performance.now() + timeoutMs

/** Settles as the promise does, or rejects when the deadline passes. Never leaves a timer behind. */
export async function within<T>(deadline: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error('no answer before the deadline')),
      Math.max(0, deadline - performance.now()),
    )
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Exponential backoff with full jitter. */
const pauseMs = (attempt: number): number =>
  pauseMsMin + Math.random() * Math.min(pauseMsMax, pauseMsMin * 2 ** attempt)

export interface Attempts {
  /** What is being done, as it stands in an error: `append to eventstore.order/3`. */
  readonly what: string
  readonly deadline: number
  /** Whether a request without an answer may have changed something. */
  readonly changes: boolean
}

const finalOutcome = (found: Classified): LogOutcome | undefined =>
  found.meaning === 'retry' || found.meaning === 'refresh' ? undefined : found.meaning

const advice: Record<LogOutcome, string> = {
  fenced: 'another owner has taken over; this one must give up the partition',
  unknown: 'whether it took effect is not known; take over anew, then the log tells',
  'take-over': 'the broker lost track of this owner; take over anew',
  refused: 'trying again will not help',
  unavailable: 'nothing was written; try again later',
  'not-there': 'this offset is not in the log (any more)',
}

function failure(attempts: Attempts, outcome: LogOutcome, error: unknown, open: boolean): LogError {
  const { message, kafkaCode } = classify(error)
  return new LogError(outcome, `${attempts.what} failed: ${message}; ${advice[outcome]}`, {
    kafkaCode,
    mayBeAppended: open,
    cause: error,
  })
}

/**
 * Runs the attempt until it is answered, refused for good, or late.
 * @throws LogError `fenced`, `take-over`, `refused`, `not-there` as the broker says; `unknown` or `unavailable` when late.
 */
export async function untilAnswered<T>(attempts: Attempts, attempt: () => Promise<T>): Promise<T> {
  // Whether some attempt was sent and got no final answer: then even a refusal of the next one leaves the first one open.
  let open = false
  for (let count = 0; ; count++) {
    try {
      return await within(attempts.deadline, attempt())
    } catch (error) {
      if (error instanceof LogError) throw error
      const final = finalOutcome(classify(error))
      if (final === 'refused' && open) throw failure(attempts, 'unknown', error, open)
      if (final !== undefined) throw failure(attempts, final, error, open)
      const closed = isClosed(error)
      const sent = !closed && !(error instanceof NotSentError)
      open ||= attempts.changes && sent
      const nextPauseMs = pauseMs(count)
      if (closed || performance.now() + nextPauseMs >= attempts.deadline) {
        throw failure(attempts, open ? 'unknown' : 'unavailable', error, open)
      }
      await pause(nextPauseMs)
    }
  }
}
