import { Agent, request } from 'undici'

import { percentile } from '../measure.ts'

interface Calm {
  readonly perSecond: number
  readonly p99Ms: number
}

/** One response to appends that were sent together. */
interface Answer {
  readonly status: number
  readonly tookMs: number
}

/** Appends per request, all to one partition: it accepts them, or rejects them. */
const appendsEach = 50
const callersCalm = 32
/**
 * Callers of the overload: several times what the service processes at a time. A higher load would wait in this
 * process and say nothing about the service.
 */
const connections = 192
const tickMs = 10
const answerMsMax = 30_000

/** Callers that do not retry and ignore Retry-After. The SDK would be gentler than any overload. */
export class OpenLoop {
  readonly acceptedMs: number[] = []
  readonly refusedMs: number[] = []
  readonly others = new Map<string, number>()
  /** Rejected in a request in which others were accepted. */
  refusedBeside = 0
  withoutRetryAfter = 0
  /** Not sent, because all callers waited for their responses. */
  heldBack = 0
  readonly #url: string
  readonly #type: string
  readonly #agent = new Agent({ connections, pipelining: 1 })
  #next = 0

  constructor(url: string, type = 'customer') {
    this.#url = url
    this.#type = type
  }

  /** Callers that wait for each response: measures the capacity. */
  async closed(durationMs: number): Promise<Calm> {
    const startedMs = performance.now()
    const caller = async () => {
      while (performance.now() - startedMs < durationMs) await this.#send()
    }
    await Promise.all(Array.from({ length: callersCalm }, caller))
    await this.#agent.close()
    const seconds = (performance.now() - startedMs) / 1_000
    return {
      perSecond: Math.round(this.acceptedMs.length / seconds),
      p99Ms: percentile(this.acceptedMs, 99),
    }
  }

  /**
   * Opens the connections beforehand: a busy process accepts one new connection in each turn of its event loop, which
   * is a separate concern.
   */
  async connect(): Promise<void> {
    const look = async () =>
      (await request(`${this.#url}/health/live`, { dispatcher: this.#agent })).body.dump()
    await Promise.all(Array.from({ length: connections }, look))
  }

  /** Sends `perSecond` appends, whatever their outcome. */
  async open(perSecond: number, durationMs: number): Promise<void> {
    const startedMs = performance.now()
    const inFlight = new Set<Promise<unknown>>()
    for (let due = 0; performance.now() - startedMs < durationMs;) {
      const dueNow = ((performance.now() - startedMs) / 1_000) * perSecond
      for (; due + appendsEach <= dueNow; due += appendsEach) {
        if (inFlight.size >= connections) this.heldBack += appendsEach
        else {
          const sending = this.#send()
          inFlight.add(sending)
          void sending.finally(() => inFlight.delete(sending))
        }
      }
      await new Promise((resolve) => setTimeout(resolve, tickMs))
    }
    await Promise.all(inFlight)
    await this.#agent.close()
  }

  async once(): Promise<Answer> {
    const answer = await this.#send(1)
    await this.#agent.close()
    return answer
  }

  async #send(appends = appendsEach): Promise<Answer> {
    const startedMs = performance.now()
    const append = this.#append()
    const body = JSON.stringify({ appends: Array.from({ length: appends }, () => append) })
    const headers = { 'content-type': 'application/json' }
    const url = `${this.#url}/appends`
    try {
      const answer = await request(url, {
        method: 'POST',
        body,
        headers,
        dispatcher: this.#agent,
        headersTimeout: answerMsMax,
      })
      const tookMs = performance.now() - startedMs
      const { results = [] } = (await answer.body.json()) as { results?: readonly Result[] }
      this.#countAll(results, tookMs)
      if (answer.statusCode !== 200)
        this.#countWhole(answer.statusCode, answer.headers['retry-after'], appends, tookMs)
      return { status: results[0]?.status ?? answer.statusCode, tookMs }
    } catch (error) {
      this.#note(error instanceof Error ? error.message : String(error))
      return { status: 0, tookMs: performance.now() - startedMs }
    }
  }

  #append() {
    const streamId = `${this.#type}.overload-${this.#next++ % 1_000}`
    return {
      streamId,
      events: [{ type: 'PurchaseMade', data: { date: '1997-01-12', cds: 1, amount: '12.50' } }],
    }
  }

  /**
   * A request is answered when its last append is, so a rejection next to an accepted append says nothing about how
   * prompt it was.
   */
  #countAll(results: readonly Result[], tookMs: number): void {
    const isMixed = results.some(({ status }) => status === 201)
    for (const { status, retryAfterSeconds } of results) {
      if (status === 201) this.acceptedMs.push(tookMs)
      else if (status !== 503) this.#note(String(status))
      else if (isMixed) this.refusedBeside++
      else this.refusedMs.push(tookMs)
      if (status === 503 && retryAfterSeconds === undefined) this.withoutRetryAfter++
    }
  }

  /** Counts all appends of a request that was rejected as a whole. */
  #countWhole(status: number, retryAfter: unknown, appends: number, tookMs: number): void {
    const refusal = { status, ...(retryAfter !== undefined && { retryAfterSeconds: Number(retryAfter) }) }
    this.#countAll(
      Array.from({ length: appends }, () => refusal),
      tookMs,
    )
  }

  #note(what: string): void {
    this.others.set(what, (this.others.get(what) ?? 0) + 1)
  }
}

interface Result {
  readonly status: number
  readonly retryAfterSeconds?: number
}
