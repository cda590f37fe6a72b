import { setTimeout as pause } from 'node:timers/promises'

import { urlOf } from '../cluster/linked-service.ts'
import type { System } from '../cluster/system.ts'
import { Random } from '../random.ts'
import type { StateOperation } from '../history.ts'
import type { Recorder } from '../recorder.ts'
import { type Caller, callMsMax, patientCallMsMax } from './caller.ts'
import { HttpCaller } from './http-caller.ts'
import { SdkCaller } from './sdk-caller.ts'
import { Streams } from './streams.ts'
import { WorkloadClient } from './workload-client.ts'

interface WorkloadOptions {
  readonly seed: number
  readonly clients: number
  readonly recorder: Recorder
}

const finalReadMsMax = 120_000
const finalReadsAtOnce = 8

/**
 * All clients of a seed. Of four, two use the SDK and go straight to owners, one uses the SDK through any writer, and
 * one uses plain HTTP.
 */
export class Workload {
  readonly streams: Streams
  readonly #callers: readonly Caller[]
  readonly #clients: readonly WorkloadClient[]
  readonly #enough = new AbortController()
  #running: Promise<unknown> = Promise.resolve()

  constructor(system: System, { seed, clients, recorder }: WorkloadOptions) {
    const { types, projections } = system.domain
    this.streams = new Streams(types)
    this.#callers = Array.from({ length: clients }, (_, client) => callerOf(system, seed, client))
    const projected = { type: types[0] ?? '', ...projections }
    this.#clients = this.#callers.map(
      (caller, client) =>
        new WorkloadClient({ seed, client, caller, recorder, projected, streams: this.streams }),
    )
  }

  start(): void {
    this.#running = Promise.all(this.#clients.map((client) => client.run(this.#enough.signal)))
  }

  /** Waits until every client has the outcome of its last call. */
  async stop(): Promise<void> {
    this.#enough.abort()
    await this.#running
  }

  /**
   * After all faults are undone, reads every stream once more; each must respond. As any reader would, it makes idle
   * owners notice that Redis has lost state.
   * @param shortened types of which some events were deleted: their expected state cannot be determined
   * @throws Error naming the streams that do not respond
   */
  async readAllStreams(shortened: readonly string[]): Promise<void> {
    const deadline = performance.now() + finalReadMsMax
    const left = [...this.streams.all]
    const readers = Array.from({ length: finalReadsAtOnce }, async (_, index) => {
      const client = this.#clients[index % this.#clients.length]
      for (let streamId = left.shift(); streamId !== undefined; streamId = left.shift()) {
        const stream = streamId
        const mayLack = shortened.some((type) => stream.startsWith(`${type}.`))
        while (!isAnswer(await client?.readState(streamId), mayLack)) {
          if (performance.now() > deadline) throw new Error(`${streamId} can no longer be read`)
          await pause(100)
        }
      }
    })
    await Promise.all(readers)
  }

  async close(): Promise<void> {
    await Promise.all(this.#callers.map((caller) => caller.close()))
  }
}

const isAnswer = (outcome: StateOperation['outcome'] | undefined, mayLackEvents: boolean): boolean =>
  outcome?.is === 'answered' || (outcome?.code === 'events-deleted' && mayLackEvents)

function callerOf(system: System, seed: number, client: number): Caller {
  const writerUrls = system.writers.map(({ front }) => urlOf(front))
  const projectorUrls = system.projectors.map(({ front }) => urlOf(front))
  // Clients that call the owner directly get its late answer; through another writer they would not.
  const isPatient = system.traits.forgetsIds && (client % 4 === 0 || client % 4 === 3)
  const timeoutMs = isPatient ? patientCallMsMax : callMsMax
  if (client % 4 === 3) {
    const random = new Random(seed, 'ways', client)
    return new HttpCaller({ writerUrls, projectorUrls, random, callMsMax: timeoutMs })
  }
  const direct = client % 4 < 2
  return new SdkCaller({ urls: writerUrls, projectionUrls: projectorUrls, direct, timeoutMs })
}
