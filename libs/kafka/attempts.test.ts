import { NetworkError, ProtocolError } from '@platformatic/kafka'
import { describe, expect, test } from 'vitest'

import { deadlineIn } from '#async'

import { untilAnswered } from './attempts.ts'
import { ClusterClosedError, LogError, NotSentError } from './kafka-errors.ts'

const lost = new NetworkError('Connection closed')
const notSent = new NotSentError('broker cannot be reached')
const answer = (code: string) => new ProtocolError(code)

/** Fails with these errors in turn, and then answers. */
function failing(...errors: readonly Error[]): { attempt: () => Promise<string>; count: () => number } {
  let count = 0
  const attempt = (): Promise<string> => {
    const error = errors[count++]
    return error === undefined ? Promise.resolve('answer') : Promise.reject(error)
  }
  return { attempt, count: () => count }
}

const append = (attempt: () => Promise<string>, timeoutMs = 5_000): Promise<string> =>
  untilAnswered({ what: 'append', deadline: deadlineIn(timeoutMs), changes: true }, attempt)

const always = (error: Error) => (): Promise<string> => Promise.reject(error)

describe('attempts', () => {
  test('continue through transient errors', async () => {
    const { attempt, count } = failing(
      lost,
      notSent,
      answer('NOT_LEADER_OR_FOLLOWER'),
      answer('REQUEST_TIMED_OUT'),
    )
    await expect(append(attempt)).resolves.toBe('answer')
    expect(count()).toBe(5)
  })

  test.each([
    ['INVALID_PRODUCER_EPOCH', 'fenced'],
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'take-over'],
    ['MESSAGE_TOO_LARGE', 'refused'],
    ['OFFSET_OUT_OF_RANGE', 'not-there'],
  ])('end at %s as %s, with nothing written', async (code, outcome) => {
    const { attempt, count } = failing(answer(code))
    await expect(append(attempt)).rejects.toMatchObject({ outcome, kafkaCode: code, mayBeAppended: false })
    expect(count()).toBe(1)
  })

  test('that were sent before they were fenced may have written', async () => {
    const error = append(failing(lost, answer('PRODUCER_FENCED')).attempt)
    await expect(error).rejects.toMatchObject({ outcome: 'fenced', mayBeAppended: true })
  })

  test('that were sent before they were refused have an unknown outcome', async () => {
    const error = append(failing(lost, answer('TOPIC_AUTHORIZATION_FAILED')).attempt)
    await expect(error).rejects.toMatchObject({ outcome: 'unknown', mayBeAppended: true })
  })

  test('that were never sent have written nothing, however late', async () => {
    await expect(append(always(notSent), 30)).rejects.toMatchObject({
      outcome: 'unavailable',
      mayBeAppended: false,
    })
  })

  test('that were sent have an unknown outcome when late', async () => {
    await expect(append(always(lost), 30)).rejects.toMatchObject({ outcome: 'unknown', mayBeAppended: true })
  })

  test('without any answer end at the deadline', async () => {
    const silent = new Promise<string>(() => undefined)
    await expect(append(() => silent, 30)).rejects.toMatchObject({ outcome: 'unknown' })
  })

  test('that time out before they were sent have written nothing, and are not sent afterwards', async () => {
    const connected = Promise.withResolvers<undefined>()
    const sent: string[] = []
    const ended: Promise<unknown>[] = []
    const connecting = async (sending: () => void): Promise<string> => {
      await connected.promise
      sending()
      sent.push('batch')
      return 'answer'
    }
    const attempts = { what: 'append', deadline: deadlineIn(30), changes: true, reportsSending: true }
    const late = untilAnswered(attempts, (sending) => {
      const attempt = connecting(sending)
      ended.push(attempt)
      return attempt
    })
    await expect(late).rejects.toMatchObject({ outcome: 'unavailable', mayBeAppended: false })
    connected.resolve(undefined)
    await expect(Promise.all(ended)).rejects.toBeInstanceOf(NotSentError)
    expect(sent).toEqual([])
  })

  test('that time out after they were sent have an unknown outcome', async () => {
    const attempts = { what: 'append', deadline: deadlineIn(30), changes: true, reportsSending: true }
    const late = untilAnswered(attempts, (sending) => {
      sending()
      return new Promise<string>(() => undefined)
    })
    await expect(late).rejects.toMatchObject({ outcome: 'unknown', mayBeAppended: true })
  })

  test('that change nothing are only unavailable when late', async () => {
    const attempts = { what: 'read', deadline: deadlineIn(30), changes: false }
    await expect(untilAnswered(attempts, always(lost))).rejects.toMatchObject({
      outcome: 'unavailable',
      message: 'read failed: Connection closed; nothing was written; try again later',
    })
  })

  test('report the last answer when the deadline interrupts a later attempt', async () => {
    const { attempt, count } = failing(answer('LEADER_NOT_AVAILABLE'))
    const silent = new Promise<string>(() => undefined)
    const attempts = { what: 'read', deadline: deadlineIn(100), changes: false }
    const late = untilAnswered(attempts, () => (count() === 0 ? attempt() : silent))
    await expect(late).rejects.toMatchObject({
      outcome: 'unavailable',
      kafkaCode: 'LEADER_NOT_AVAILABLE',
    })
  })

  test('end immediately when this process has closed its cluster', async () => {
    const { attempt, count } = failing(lost, new ClusterClosedError(), lost)
    await expect(append(attempt)).rejects.toBeInstanceOf(LogError)
    expect(count()).toBe(2)
  })
})
