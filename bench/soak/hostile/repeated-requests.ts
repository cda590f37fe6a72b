import { Agent, request } from 'undici'

import { rest } from './raw-connections.ts'
import type { Tally } from './target.ts'

export interface RepeatedRequest {
  readonly method: 'GET' | 'POST'
  readonly url: (n: number) => string
  readonly body?: string | Buffer
  /** So many are under way at a time. */
  readonly count: number
  /** Between an answer and the next request. */
  readonly restMs: number
}

const answerMsMax = 60_000

/** Sends requests again and again until the signal aborts, so many at a time. Counts the status of each answer. */
export async function repeat(
  { method, url, body, count, restMs }: RepeatedRequest,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const agent = new Agent({ connections: count, headersTimeout: answerMsMax, bodyTimeout: answerMsMax })
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  const one = async (n: number): Promise<void> => {
    // Not all in one moment: a process takes one new connection in each turn of its event loop.
    await rest((n % 200) * 10, signal)
    while (!signal.aborted) {
      try {
        const answer = await request(url(n), {
          method,
          headers,
          body: body ?? null,
          dispatcher: agent,
          signal,
        })
        await answer.body.dump({ limit: 1 << 30 })
        tally.count(answer.statusCode)
      } catch (error) {
        tally.count(error instanceof Error ? error.message : String(error))
      }
      await rest(restMs, signal)
    }
  }
  await Promise.all(Array.from({ length: count }, (_, n) => one(n)))
  await agent.destroy()
}
