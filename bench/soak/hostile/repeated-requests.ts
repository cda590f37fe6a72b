import { Agent, request } from 'undici'

import { rest } from './raw-connections.ts'
import type { Tally } from './target.ts'

export interface RepeatedRequest {
  readonly method: 'GET' | 'POST'
  readonly url: (n: number) => string
  readonly body?: string | Buffer
  /** Requests in flight at a time. */
  readonly count: number
  /** Pause between a response and the next request. */
  readonly restMs: number
}

const answerMsMax = 60_000

/** Sends requests in a loop until the signal aborts, `count` at a time. Counts the status of each response. */
export async function repeat(
  { method, url, body, count, restMs }: RepeatedRequest,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const agent = new Agent({ connections: count, headersTimeout: answerMsMax, bodyTimeout: answerMsMax })
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  const one = async (n: number): Promise<void> => {
    // Spread over time: a process accepts one new connection in each turn of its event loop.
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
