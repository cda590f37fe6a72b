import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { until } from '../../../scripts/stack/index.ts'
import { check, countedEvents, readRemains, type Violation, type Where } from '../harness/checker/index.ts'
import type { AppendOperation, Operation } from '../harness/history.ts'
import { isIdKnown } from '../harness/plain-kafka/index.ts'
import { Random } from '../harness/random.ts'
import { Recorder } from '../harness/recorder.ts'
import { HttpCaller } from '../harness/workload/http-caller.ts'
import { purchase } from '../harness/workload/streams.ts'
import type { AppendRequest } from '../harness/workload/caller.ts'
import { type Owner, Owners } from './owners.ts'
import type { Stand } from './stand.ts'

interface PausedRun {
  readonly seed: number
  /** What the caller of the paused owner got. */
  readonly answer: string
  readonly acknowledgedEvents: number
  /** Records in the log that do not count. */
  readonly strays: number
  readonly violations: readonly Violation[]
  readonly tookMs: number
}

const forgetMsMax = 60_000
const settleMsMax = 60_000
const callMsMax = 120_000

/**
 * An owner is paused between its decision and its produce request. In the meantime the coordinator forgets its
 * transactional id, and another owner takes over with another producer id and writes. Then the first one resumes. All
 * responses are checked against the log.
 */
export async function runPausedOwner(stand: Stand, seed: number, folder: string): Promise<PausedRun> {
  const startedAtMs = performance.now()
  mkdirSync(folder, { recursive: true })
  const recorder = new Recorder(join(folder, 'history.ndjson'))
  const owners = new Owners(stand, folder)
  try {
    const answer = await new Play(stand, owners, recorder, seed).play()
    const { history } = recorder
    const remains = await readRemains(whereIs(stand, owners.type))
    const acknowledged = new Set(history.flatMap(acknowledgedIds))
    const strays = remains.log.length - countedEvents(remains).length
    return {
      ...{ seed, answer, strays },
      acknowledgedEvents: acknowledged.size,
      violations: check(history, remains),
      tookMs: performance.now() - startedAtMs,
    }
  } finally {
    await owners.stop()
    await recorder.close()
  }
}

const acknowledgedIds = (operation: Operation): readonly string[] =>
  operation.kind === 'append' && operation.outcome.is === 'acknowledged' ? operation.outcome.eventIds : []

const whereIs = ({ brokers, redis, registryUrl }: Stand, type: string): Where => ({
  ...{ brokers, registryUrl, projectorUrl: '', redisKeyPrefix: type, types: [type], projections: [] },
  redisUrl: redis.url,
})

class Play {
  readonly #stand: Stand
  readonly #owners: Owners
  readonly #recorder: Recorder
  readonly #random: Random

  constructor(stand: Stand, owners: Owners, recorder: Recorder, seed: number) {
    this.#stand = stand
    this.#owners = owners
    this.#recorder = recorder
    this.#random = new Random(seed, 'paused owner')
  }

  /** @returns what the paused owner's caller got */
  async play(): Promise<string> {
    const random = this.#random
    const [stream, other] = [`${this.#owners.type}.paused`, `${this.#owners.type}.beside`]
    const paused = await this.#owners.start()
    for (let round = random.between(1, 3); round > 0; round--)
      await this.#append(paused, this.#request(stream))
    // The id is forgotten before the pause, or during it. The current owner notices neither.
    if (random.chance(0.5)) await this.#untilForgotten()
    const held = this.#request(stream)
    paused.hold.arm()
    const hearing = this.#try(paused, held)
    await paused.untilHeld()
    await this.#untilForgotten()

    const next = await this.#owners.start()
    const isRetriedMeanwhile = random.chance(0.3)
    for (let round = random.between(1, 10); round > 0; round--)
      await this.#append(next, this.#request(random.chance(0.7) ? stream : other))
    if (isRetriedMeanwhile) await this.#append(next, held)
    // So that the successor's id is forgotten too.
    if (random.chance(0.3)) await this.#untilForgotten()

    paused.hold.release()
    const outcome = await hearing
    for (let round = random.between(1, 4); round > 0; round--) await this.#append(next, this.#request(stream))
    await this.#append(next, held)
    for (const owner of [next, paused]) for (const each of [stream, other]) await this.#read(owner, each)
    return outcome.is === 'acknowledged' ? 'acknowledged' : outcome.code
  }

  #request(streamId: string): AppendRequest {
    const events = Array.from({ length: this.#random.between(1, 3) }, () => purchase(this.#random))
    return { streamId, expectedVersion: 'any', events }
  }

  #untilForgotten(): Promise<unknown> {
    const id = `annals.eventstore.${this.#owners.type}.0`
    return until(
      `the coordinator forgets ${id}`,
      forgetMsMax,
      async () => !(await isIdKnown(this.#stand.brokers, id)),
    )
  }

  /** Retries with the same ids until it is acknowledged, as a good caller does. */
  #append(owner: Owner, request: AppendRequest): Promise<unknown> {
    return until(`${owner.post.name} acknowledges an append`, settleMsMax, async () => {
      const { is } = await this.#try(owner, request)
      return is === 'acknowledged'
    })
  }

  async #try(owner: Owner, request: AppendRequest): Promise<AppendOperation['outcome']> {
    const call = this.#recorder.called(0)
    const [outcome = { is: 'unknown', code: 'no-answer' }] = await this.#caller(owner).append([request])
    this.#recorder.ended(call, { kind: 'append', ...request, outcome })
    return outcome
  }

  /** Reads its events and its state, once it responds. */
  async #read(owner: Owner, streamId: string): Promise<void> {
    await until(`${owner.post.name} answers a read`, settleMsMax, async () => {
      const [read, load] = [this.#recorder.called(1), this.#recorder.called(1)]
      const events = await this.#caller(owner).read(streamId, 1)
      this.#recorder.ended(read, { kind: 'read', streamId, fromVersion: 1, outcome: events })
      const state = await this.#caller(owner).state(streamId)
      this.#recorder.ended(load, { kind: 'state', streamId, outcome: state })
      return (events.is === 'answered' || events.code === 'stream-not-found') && state.is === 'answered'
    })
  }

  #caller({ url }: Owner): HttpCaller {
    return new HttpCaller({ writerUrls: [url], projectorUrls: [], random: this.#random, callMsMax })
  }
}
