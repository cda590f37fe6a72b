import kafkajs from 'kafkajs'

import { deadlineIn, pause } from '#async'

import { LogError, meanings, rootMessage } from './kafka-errors.ts'

interface FirstJoin {
  readonly groupId: string
  readonly timeoutMs: number
  /** Between two attempts. */
  readonly pauseMs: number
  readonly onProblem: (error: unknown) => void
}

/**
 * Joins a group for the first time. Retries until the time-out, because the coordinator may still be starting.
 * @throws LogError `refused` when this user is not authorized, `unavailable` at the time-out.
 */
export async function firstJoin<T>(options: FirstJoin, join: () => Promise<T>): Promise<T> {
  const { groupId, timeoutMs, pauseMs, onProblem } = options
  const deadline = deadlineIn(timeoutMs)
  for (;;) {
    try {
      return await join()
    } catch (error) {
      const what = `joining group ${groupId} failed: ${rootMessage(error)}`
      if (isRefused(error)) throw new LogError('refused', `${what}; a retry will not help`, { cause: error })
      if (performance.now() + pauseMs >= deadline) {
        throw new LogError('unavailable', `${what}; nothing was written; try again later`, { cause: error })
      }
      onProblem(error)
      await pause(pauseMs)
    }
  }
}

// A CommonJS package: its error classes cannot be imported by name.
const { KafkaJSProtocolError, KafkaJSSASLAuthenticationError } = kafkajs

function isRefused(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof KafkaJSSASLAuthenticationError) return true
    if (at instanceof KafkaJSProtocolError && meanings[at.type] === 'refused') return true
  }
  return false
}
