// npm run bench:fail-over -- <folder> [rounds] [ids]
import { join, resolve } from 'node:path'

import { pause } from '#async'
import { AnnalsClient } from '#client'

import { startBenchStack } from './bench-stack.ts'
import { measureCallers } from './callers.ts'
import { type Closing, withClosing } from './closing.ts'
import type { Contender } from './contenders/contender.ts'
import { httpContender } from './contenders/http.ts'
import { type ServiceProcess, startService } from './contenders/service-process.ts'
import { median, percentile } from './measure.ts'

/**
 * Compares how long callers wait for a writer that ends in this checkout and in another one. Each has its own stack and
 * two writers whose windows of event ids are full; the order of the two alternates from round to round.
 */

const roundsDefault = 10
const idsDefault = 300_000
const partitions = 8
const callers = 50
const fillCallers = 512
const fillMs = 1_000
/** Appends that go on after the partitions have moved: by then no caller waits any more. */
const settleMs = 1_000
const movedMsMax = 60_000

const checkout = join(import.meta.dirname, '..')
const ends = ['SIGTERM', 'SIGKILL'] as const
type End = (typeof ends)[number]

/** Two writers, their callers, and what ends one of them. */
class FailOver {
  readonly #client: AnnalsClient
  readonly #contender: Contender
  readonly #startSecond: () => Promise<ServiceProcess>
  #second: ServiceProcess
  #appended = 0
  #longestMs = 0

  constructor(urls: readonly string[], second: ServiceProcess, startSecond: () => Promise<ServiceProcess>) {
    this.#client = new AnnalsClient({ urls })
    this.#contender = httpContender(this.#client)
    this.#second = second
    this.#startSecond = startSecond
  }

  /** Appends until each partition has as many events as an owner remembers ids. */
  async fill(ids: number): Promise<void> {
    await this.#owned(2)
    // Partitions do not grow at the same rate: a tenth more fills all of them.
    const events = 1.1 * ids * partitions
    while (this.#appended < events) {
      await measureCallers(fillCallers, fillMs, () => this.#append())
      say(`${this.#appended} of ${Math.round(events)} events`)
    }
  }

  /** Ends the second writer under appends, and starts it again. @returns the longest time that an append took, in ms. */
  async end(signal: End): Promise<number> {
    this.#longestMs = 0
    let isOver = false
    const calling = Array.from({ length: callers }, async () => {
      while (!isOver) await this.#append()
    })
    await pause(settleMs)
    await this.#second.stop(signal)
    await this.#owned(1)
    await pause(settleMs)
    isOver = true
    await Promise.all(calling)
    const longestMs = this.#longestMs
    this.#second = await this.#startSecond()
    await this.#owned(2)
    return longestMs
  }

  async close(): Promise<void> {
    await this.#contender.close()
    await this.#second.stop()
  }

  async #append(): Promise<void> {
    const sinceMs = performance.now()
    await this.#contender.append(`fail-over-${this.#appended++}`)
    this.#longestMs = Math.max(this.#longestMs, performance.now() - sinceMs)
  }

  /** Waits until so many writers own all partitions. */
  async #owned(writers: number): Promise<void> {
    const deadlineMs = performance.now() + movedMsMax
    while (performance.now() < deadlineMs) {
      const owners = await this.#client.owners().catch(() => [])
      const urls = new Set(owners.map(({ url }) => url))
      if (owners.length === partitions && urls.size === writers && !urls.has(undefined)) return
      await pause(50)
    }
    throw new Error(`after ${movedMsMax / 1_000} s, ${writers} writers do not own all partitions`)
  }
}

async function openFailOver(folder: string, ids: number, closing: Closing): Promise<FailOver> {
  const stack = await startBenchStack(say, { writers: 2 })
  closing(() => stack.close())
  const envOf = (writer: number) => ({
    ...stack.envOf('bench-http', writer),
    ANNALS_DOMAIN: join(folder, 'bench/domain/bench-http.ts'),
    ANNALS_KAFKA_PARTITIONS: String(partitions),
    ANNALS_INDEX_REMEMBERED_IDS_MAX: String(ids),
  })
  const start = (writer: number) => startService('writer', envOf(writer), { checkout: folder })
  const first = await start(0)
  closing(() => first.stop())
  const second = await start(1)
  const failOver = new FailOver([first.url, second.url], second, () => start(1))
  closing(() => failOver.close())
  await failOver.fill(ids)
  return failOver
}

async function compare(there: string, rounds: number, ids: number): Promise<void> {
  await withClosing(async (closing) => {
    const sides = [
      { name: 'here', failOver: await openFailOver(checkout, ids, closing) },
      { name: 'there', failOver: await openFailOver(resolve(there), ids, closing) },
    ]
    const waits = new Map<string, number[]>()
    for (let round = 0; round < rounds; round++) {
      for (const { name, failOver } of round % 2 === 0 ? sides : sides.toReversed()) {
        for (const signal of ends) {
          const key = `${signal}, ${name}`
          waits.set(key, [...(waits.get(key) ?? []), await failOver.end(signal)])
          say(`round ${round + 1} of ${rounds}: ${key}: ${Math.round(waits.get(key)?.at(-1) ?? NaN)} ms`)
        }
      }
    }
    console.log('| longest append, ms | median | quartiles | longest |')
    console.log('| --- | --- | --- | --- |')
    for (const [key, longest] of waits) console.log(row(key, longest))
  })
}

function row(key: string, waits: readonly number[]): string {
  const [low, high] = [25, 75].map((percent) => Math.round(percentile(waits, percent)))
  return `| ${key} | ${Math.round(median(waits))} | ${low} to ${high} | ${Math.round(Math.max(...waits))} |`
}

function say(line: string): void {
  console.error(line)
}

const [, , other, rounds = roundsDefault, ids = idsDefault] = process.argv
if (other === undefined) {
  console.error(
    'usage: npm run bench:fail-over -- <folder of another checkout, with its node_modules> [rounds] [ids of each partition]',
  )
  process.exitCode = 2
} else {
  await compare(other, Number(rounds), Number(ids))
}
