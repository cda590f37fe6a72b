import { Agent, request } from 'undici'

import { percentile } from '../measure.ts'

export interface Calm {
  readonly perSecond: number
  readonly p99Ms: number
}

/** One answer to appends that travel together. */
interface Heard {
  readonly status: number
  readonly tookMs: number
}

/** Appends of one request, all to one partition: it takes them, or refuses them. */
const appendsEach = 50
const callersCalm = 32
/** Callers of the overload: several times what is worked on at a time. A load of more waits in this process, and tells nothing of the service. */
const connections = 192
const tickMs = 10
const answerMsMax = 30_000

/** Callers that do not try again, and, if told so, do not wait either. Beside the SDK, which would be kinder than any overload. */
export class OpenLoop {
  readonly acceptedMs: number[] = []
  readonly refusedMs: number[] = []
  readonly others = new Map<string, number>()
  /** Refused in a request in which others were accepted. */
  refusedBeside = 0
  withoutRetryAfter = 0
  /** Not sent, for all callers waited for their answers. */
  heldBack = 0
  readonly #url: string
  readonly #type: string
  readonly #agent = new Agent({ connections, pipelining: 1 })
  #next = 0

  constructor(url: string, type = 'customer') {
    this.#url = url
    this.#type = type
  }

  /** Callers that wait for each answer: what can be done. */
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

  /** Callers that are there already: a busy process accepts one new connection in each turn of its event loop, which is another matter. */
  async connect(): Promise<void> {
    const look = async () =>
      (await request(`${this.#url}/health/live`, { dispatcher: this.#agent })).body.dump()
    await Promise.all(Array.from({ length: connections }, look))
  }

  /** So many appends each second, whatever becomes of them. */
  async open(perSecond: number, durationMs: number): Promise<void> {
    const startedMs = performance.now()
    const underWay = new Set<Promise<unknown>>()
    for (let due = 0; performance.now() - startedMs < durationMs;) {
      const dueNow = ((performance.now() - startedMs) / 1_000) * perSecond
      for (; due + appendsEach <= dueNow; due += appendsEach) {
        if (underWay.size >= connections) this.heldBack += appendsEach
        else {
          const sending = this.#send()
          underWay.add(sending)
          void sending.finally(() => underWay.delete(sending))
        }
      }
      await new Promise((resolve) => setTimeout(resolve, tickMs))
    }
    await Promise.all(underWay)
    await this.#agent.close()
  }

  async once(): Promise<Heard> {
    const heard = await this.#send(1)
    await this.#agent.close()
    return heard
  }

  async #send(appends = appendsEach): Promise<Heard> {
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

  /** A request is answered when its last append is: a refusal beside an accepted one tells nothing of how prompt it was. */
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

  /** All appends of a request that was refused as one. */
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
