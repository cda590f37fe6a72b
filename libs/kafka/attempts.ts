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

/** There is no time left to wait for the answer. */
class LateError extends Error {
  override readonly name = 'LateError'

  constructor() {
    super('no answer before the deadline')
  }
}

export interface Attempts {
  /** What is being done, as it stands in an error: `append to eventstore.order/3`. */
  readonly what: string
  readonly deadline: number
  /** Whether a request without an answer may have changed something. */
  readonly changes: boolean
  /** Whether the attempt tells when it sends its request: then one that is late before that has changed nothing. */
  readonly tellsSending?: boolean
}

/** What one attempt sends; nothing any more once nobody waits for it. */
class OneRequest {
  isSent = false
  isOver = false
  readonly sending = (): void => {
    if (this.isOver) throw new NotSentError('there was no time left to send it')
    this.isSent = true
  }
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
 * Runs the attempt until it is answered, refused for good, or late.
 * @param attempt calls `sending`, where it tells that it sends, right before; that throws when it is too late.
 * @throws LogError `fenced`, `take-over`, `refused`, `not-there` as the broker says; `unknown` or `unavailable` when late.
 */
export async function untilAnswered<T>(
  attempts: Attempts,
  attempt: (sending: () => void) => Promise<T>,
): Promise<T> {
  // Whether some attempt was sent and got no final answer: then even a refusal of the next one leaves the first one open.
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
      const unsent = error instanceof LateError && attempts.tellsSending === true && !request.isSent
      const sent = !closed && !unsent && !(error instanceof NotSentError)
      open ||= attempts.changes && sent
      const nextPauseMs = retryLimits.delayMsMin + backoff.nextMs()
      if (closed || performance.now() + nextPauseMs >= attempts.deadline) {
        // That there was no time for yet another attempt tells less than how those before it ended.
        const reason = error instanceof LateError && !open ? (before ?? error) : error
        throw failure(attempts, open ? 'unknown' : 'unavailable', reason, open)
      }
      before = error
      await pause(nextPauseMs)
    }
  }
}
