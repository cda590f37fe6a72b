// The flooding tenant of `npm run bench -- tenants`: sends appends at a constant rate, whatever the answers are.
import { constants, setPriority } from 'node:os'

import { Agent } from 'undici'

import { appended } from '../domain/domain.ts'
import type { FloodAnswer, FloodCounts, FloodRequest } from './flood-messages.ts'

/**
 * Connections, each with one request at a time: eight times those of the SDK. While all wait for their answers, further
 * requests are skipped.
 */
const inFlightMax = 256
const tickMs = 10

// A tenant computes on a machine of its own. Here it gets only what the platform and the other tenant leave.
setPriority(constants.priority.PRIORITY_LOW)

const [, , url = ''] = process.argv
const agent = new Agent({ connections: inFlightMax, pipelining: 1, connectTimeout: 30_000 })
const body = JSON.stringify({ events: [appended] })

type Counts = { -readonly [Name in keyof FloodCounts]: number }

class Flood {
  readonly #key: string
  readonly #perSecond: number
  readonly #startMs = performance.now()
  readonly #counts: Counts = {
    sent: 0,
    accepted: 0,
    limited: 0,
    overloaded: 0,
    failed: 0,
    skipped: 0,
    seconds: 0,
  }
  readonly #timer: NodeJS.Timeout
  #due = 0
  #inFlight = 0

  constructor(key: string, perSecond: number) {
    this.#key = key
    this.#perSecond = perSecond
    this.#timer = setInterval(() => this.#sendDue(), tickMs)
  }

  stop(): FloodCounts {
    clearInterval(this.#timer)
    return { ...this.#counts, seconds: (performance.now() - this.#startMs) / 1_000 }
  }

  #sendDue(): void {
    const due = Math.floor(((performance.now() - this.#startMs) / 1_000) * this.#perSecond)
    for (; this.#due < due; this.#due++) {
      if (this.#inFlight >= inFlightMax) this.#counts.skipped++
      else void this.#send(this.#due)
    }
  }

  async #send(n: number): Promise<void> {
    this.#inFlight++
    this.#counts.sent++
    try {
      const answer = await agent.request({
        origin: url,
        path: `/streams/bench-http.flood-${process.pid}-${Math.round(this.#startMs)}-${n}/events`,
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#key}` },
        body,
      })
      await answer.body.dump()
      this.#count(answer.statusCode)
    } catch {
      this.#counts.failed++
    } finally {
      this.#inFlight--
    }
  }

  #count(status: number): void {
    if (status === 200 || status === 201) this.#counts.accepted++
    else if (status === 429) this.#counts.limited++
    else if (status === 503) this.#counts.overloaded++
    else this.#counts.failed++
  }
}

const send = (answer: FloodAnswer): void => {
  process.send?.(answer)
}

let flood: Flood | undefined
process.on('message', (request: FloodRequest) => {
  switch (request.kind) {
    case 'start':
      flood = new Flood(request.key, request.perSecond)
      break
    case 'stop':
      if (flood !== undefined) send({ kind: 'stopped', counts: flood.stop() })
      break
    case 'close':
      process.disconnect()
      void agent.destroy()
  }
})
send({ kind: 'started' })
