import { setTimeout as pause } from 'node:timers/promises'

import type { AppendOperation, ExpectedVersion, LogPosition, StateOperation } from '../history.ts'
import { Random } from '../random.ts'
import type { Recorder } from '../recorder.ts'
import type { AppendRequest, Caller } from './caller.ts'
import { purchases, type Streams } from './streams.ts'

interface WorkloadClientOptions {
  readonly seed: number
  readonly client: number
  readonly caller: Caller
  readonly streams: Streams
  readonly recorder: Recorder
  /** The type with projections, and their names. */
  readonly projected: { readonly type: string; readonly lifetime: string; readonly monthly: string }
}

const thinkMsMax = 120
const triesMax = 6
const rememberedRequests = 40

type Kind = 'append' | 'append-many' | 'append-again' | 'read' | 'state' | 'view'
const kinds: readonly (readonly [Kind, number])[] = [
  ['append', 0.55],
  ['append-many', 0.07],
  ['append-again', 0.06],
  ['read', 0.08],
  ['state', 0.16],
  ['view', 0.08],
]

/**
 * One client, with one call after another. The calls are derived from the seed, the client and the number of the call,
 * so that the outcome of one call does not change the next. Only the number of retries depends on the outcome.
 */
export class WorkloadClient {
  readonly #options: WorkloadClientOptions
  /** Recently sent requests, whatever their outcome. */
  readonly #requests: AppendRequest[] = []
  #lastToken: LogPosition | undefined

  constructor(options: WorkloadClientOptions) {
    this.#options = options
  }

  async run(signal: AbortSignal): Promise<void> {
    const { seed, client } = this.#options
    for (let call = 0; !signal.aborted; call++) {
      const random = new Random(seed, 'client', client, 'call', call)
      await this.#call(random, signal)
      await pause(random.between(0, thinkMsMax))
    }
  }

  /** Reads the state of a stream and records it. @returns the outcome. */
  async readState(streamId: string): Promise<StateOperation['outcome']> {
    const { caller, recorder, client, streams } = this.#options
    const call = recorder.called(client)
    const outcome = await caller.state(streamId)
    recorder.ended(call, { kind: 'state', streamId, outcome })
    if (outcome.is === 'answered') streams.learn(streamId, outcome.version)
    return outcome
  }

  async #call(random: Random, signal: AbortSignal): Promise<void> {
    const { streams } = this.#options
    switch (kindOf(random)) {
      case 'append':
        return this.#append([this.#request(random)], random, signal)
      case 'append-many':
        return this.#append(this.#requestsAtOnce(random), random, signal)
      case 'append-again':
        return this.#append([this.#requestAgain(random)], random, signal)
      case 'read':
        return this.#read(streams.any(random), random)
      case 'state':
        await this.readState(streams.any(random))
        return
      case 'view':
        return this.#viewOf(streams.any(random), '1997-03', random, this.#lastToken)
    }
  }

  #request(random: Random): AppendRequest {
    const streamId = this.#options.streams.any(random)
    const events = purchases(random)
    return { streamId, expectedVersion: this.#expected(streamId, random), events }
  }

  /** To different streams: the order of two appends to one stream in the same request could not be determined. */
  #requestsAtOnce(random: Random): AppendRequest[] {
    const requests = Array.from({ length: random.between(2, 6) }, () => this.#request(random))
    return [...new Map(requests.map((request) => [request.streamId, request])).values()]
  }

  #requestAgain(random: Random): AppendRequest {
    return this.#requests.length === 0 ? this.#request(random) : random.pick(this.#requests)
  }

  #expected(streamId: string, random: Random): ExpectedVersion {
    const known = this.#options.streams.versionOf(streamId)
    const draw = random.next()
    if (draw < 0.45) return 'any'
    if (draw < 0.77) return known
    if (draw < 0.84) return Math.max(0, known - random.between(1, 3))
    if (draw < 0.88) return known + random.between(1, 3)
    return draw < 0.94 ? 'no-stream' : 'stream-exists'
  }

  /** Retries appends without a certain outcome, with the same ids: usually until there is one, sometimes not. */
  async #append(requests: readonly AppendRequest[], random: Random, signal: AbortSignal): Promise<void> {
    this.#requests.push(...requests)
    this.#requests.splice(0, this.#requests.length - rememberedRequests)
    let open = requests
    for (let tries = 0; tries < triesMax && open.length > 0; tries++) {
      const outcomes = await this.#send(open)
      await this.#readOwnWrite(open, outcomes, random)
      open = open.filter((_, index) => isOpen(outcomes[index]))
      if (signal.aborted || random.chance(0.15)) return
      if (open.length > 0) await pause(random.between(50, 600))
    }
  }

  async #send(requests: readonly AppendRequest[]): Promise<readonly AppendOperation['outcome'][]> {
    const { caller, recorder, client, streams } = this.#options
    const calls = requests.map(() => recorder.called(client))
    const outcomes = await caller.append(requests)
    requests.forEach((request, index) => {
      const outcome = outcomes[index] ?? { is: 'unknown', code: 'no-answer' }
      const call = calls[index]
      if (call !== undefined) recorder.ended(call, { kind: 'append', ...request, outcome })
      if (outcome.is === 'acknowledged') streams.learn(request.streamId, outcome.lastVersion)
      if (outcome.is === 'refused' && outcome.actualVersion !== undefined)
        streams.learn(request.streamId, outcome.actualVersion)
    })
    return outcomes
  }

  /** With the token of the response: the appended events must be in the view. */
  async #readOwnWrite(
    requests: readonly AppendRequest[],
    outcomes: readonly AppendOperation['outcome'][],
    random: Random,
  ): Promise<void> {
    const { type } = this.#options.projected
    const draw = random.next()
    const at = outcomes.findIndex(
      (outcome, index) =>
        outcome.is === 'acknowledged' && requests[index]?.streamId.startsWith(`${type}.`) === true,
    )
    const [request, outcome] = [requests[at], outcomes[at]]
    if (request === undefined || outcome?.is !== 'acknowledged') return
    this.#lastToken = outcome.position
    const month = String(request.events.at(-1)?.data['date']).slice(0, 7)
    if (draw < 0.3) await this.#viewOf(request.streamId, month, random, outcome.position)
  }

  async #read(streamId: string, random: Random): Promise<void> {
    const { caller, recorder, client, streams } = this.#options
    const fromVersion = Math.max(1, streams.versionOf(streamId) - random.between(0, 120))
    const call = recorder.called(client)
    const outcome = await caller.read(streamId, fromVersion)
    recorder.ended(call, { kind: 'read', streamId, fromVersion, outcome })
  }

  async #viewOf(
    streamId: string,
    month: string,
    random: Random,
    after: LogPosition | undefined,
  ): Promise<void> {
    const { caller, recorder, client, projected } = this.#options
    const ofMonth = { projection: projected.monthly, key: month }
    const ofStream = { projection: projected.lifetime, key: streamId.slice(streamId.indexOf('.') + 1) }
    const request = {
      ...(random.chance(0.25) ? ofMonth : ofStream),
      ...(after !== undefined && random.chance(0.85) && { after }),
    }
    const call = recorder.called(client)
    const outcome = await caller.view(request)
    recorder.ended(call, { kind: 'view', ...request, outcome })
  }
}

function kindOf(random: Random): Kind {
  let draw = random.next()
  return kinds.find(([, share]) => (draw -= share) < 0)?.[0] ?? 'append'
}

/** Unknown, or rejected only because of a temporary condition. */
const isOpen = (outcome: AppendOperation['outcome'] | undefined): boolean =>
  outcome?.is === 'unknown' ||
  (outcome?.is === 'refused' && ['overloaded', 'unavailable', 'not-owner'].includes(outcome.code))
