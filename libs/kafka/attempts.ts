import { Backoff, fullJitter, pause, within } from '#async'

import {
  classify,
  type Classified,
  isClosed,
  LogError,
  type LogOutcome,
  NotSentError,
} from './kafka-errors.ts'

const retryLimits = { delayMsMin: 2, delayMsMax: 250 }

/** The deadline passed before the answer arrived. */
class LateError extends Error {
  override readonly name = 'LateError'

  constructor() {
    super('no answer before the deadline')
  }
}

interface Attempts {
  /** The operation, as error messages name it: `append to eventstore.order/3`. */
  readonly what: string
  readonly deadline: number
  /** Whether an unanswered request may have changed something. */
  readonly changes: boolean
  /** Whether the attempt calls `sending` before it sends. An attempt that times out before that call has changed nothing. */
  readonly reportsSending?: boolean
}

/** Tracks whether one attempt has sent its request. After the attempt is given up, it can no longer send. */
class OneRequest {
  isSent = false
  isOver = false
  readonly sending = (): void => {
    if (this.isOver) throw new NotSentError('the deadline passed before it was sent')
    this.isSent = true
  }
}

const finalOutcome = (found: Classified): LogOutcome | undefined =>
  found.meaning === 'retry' || found.meaning === 'refresh' ? undefined : found.meaning

const advice: Record<LogOutcome, string> = {
  fenced: 'another owner has taken over; this one must give up the partition',
  unknown: 'it may have taken effect; take over again and read the log to find out',
  'take-over': 'the broker no longer tracks this owner; take over again',
  refused: 'a retry will not help',
  unavailable: 'nothing was written; try again later',
  'not-there': 'the log does not contain this offset, or no longer does',
  'log-replaced': 'the topic was deleted and created again',
  'events-deleted': 'the head of the log was deleted',
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
 * Retries the attempt until it is answered, finally refused, or past its deadline.
 * @param attempt with `reportsSending`, calls `sending` immediately before it sends; the call throws past the deadline.
 * @throws LogError `fenced`, `take-over`, `refused`, `not-there` as the broker answers; `unknown` or `unavailable` past the deadline.
 */
export async function untilAnswered<T>(
  attempts: Attempts,
  attempt: (sending: () => void) => Promise<T>,
): Promise<T> {
  // Whether an earlier attempt was sent and got no final answer. Its outcome stays open even if a later one is refused.
  let open = false
  let before: unknown
  const backoff = new Backoff(retryLimits, fullJitter)
  for (;;) {
    const request = new OneRequest()
    try {
      return await within(attempts.deadline, attempt(request.sending), () => new LateError())
    } catch (error) {
      request.isOver = true
      if (error instanceof LogError) throw error
      const final = finalOutcome(classify(error))
      if (final === 'refused' && open) throw failure(attempts, 'unknown', error, open)
      if (final !== undefined) throw failure(attempts, final, error, open)
      const closed = isClosed(error)
      const unsent = error instanceof LateError && attempts.reportsSending === true && !request.isSent
      const sent = !closed && !unsent && !(error instanceof NotSentError)
      open ||= attempts.changes && sent
      const nextPauseMs = retryLimits.delayMsMin + backoff.nextMs()
      if (closed || performance.now() + nextPauseMs >= attempts.deadline) {
        // The previous attempt's error says more than a bare timeout of the last one.
        const reason = error instanceof LateError && !open ? (before ?? error) : error
        throw failure(attempts, open ? 'unknown' : 'unavailable', reason, open)
      }
      before = error
      await pause(nextPauseMs)
    }
  }
}
