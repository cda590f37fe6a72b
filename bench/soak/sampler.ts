import { setTimeout as pause } from 'node:timers/promises'

import { connectRedis, type RedisConnection } from '#redis-index'

import type { Point } from './least-squares.ts'
import type { Process } from './processes.ts'

const mebibyte = 2 ** 20

/** Metrics of a process and their display names; the last word selects the rule. */
const metrics: readonly (readonly [figure: string, metric: string, factor: number])[] = [
  ['rss', 'process_resident_memory_bytes', 1 / mebibyte],
  ['heap', 'nodejs_heap_size_used_bytes', 1 / mebibyte],
  ['event loop p99 lag', 'nodejs_eventloop_lag_p99_seconds', 1_000],
  ['writer queue', 'annals_writer_queue_events', 1],
  ['snapshotter queue', 'annals_snapshotter_lag_events', 1],
  ['projector queue', 'annals_projector_lag_events', 1],
]

/** Samples processes and Redis every few seconds, and keeps the samples. */
export class Sampler {
  readonly #processes: readonly Process[]
  readonly #redis: RedisConnection
  readonly #series = new Map<string, Point[]>()
  readonly #startedMs = performance.now()

  constructor(processes: readonly Process[], env: Readonly<Record<string, string>>) {
    this.#processes = processes
    this.#redis = connectRedis({
      url: env['ANNALS_REDIS_URL'] ?? '',
      keyPrefix: env['ANNALS_REDIS_KEY_PREFIX'] ?? '',
    })
  }

  /** Samples until the signal aborts. @param every called after each sample. */
  async run(intervalMs: number, signal: AbortSignal, every: (minutes: number) => void): Promise<void> {
    await this.#redis.ready()
    while (!signal.aborted) {
      const minutes = (performance.now() - this.#startedMs) / 60_000
      await Promise.all([
        ...this.#processes.map((each) => this.#look(each, minutes)),
        this.#lookAtRedis(minutes),
      ])
      every(minutes)
      await pause(intervalMs, undefined, { signal }).catch(() => undefined)
    }
    this.#redis.close()
  }

  /** The samples since a time, by figure. */
  since(minutes: number): ReadonlyMap<string, readonly Point[]> {
    const later = (points: readonly Point[]) => points.filter((point) => point.minutes >= minutes)
    return new Map([...this.#series].map(([figure, points]) => [figure, later(points)]))
  }

  async #look({ name, url }: Process, minutes: number): Promise<void> {
    const text = await fetch(`${url}/metrics`).then(
      (answer) => answer.text(),
      () => undefined,
    )
    // A separate rule checks whether the process has ended.
    if (text === undefined) return
    for (const [figure, metric, factor] of metrics) {
      const value = sumOf(text, metric)
      if (value !== undefined) this.#add(`${name} ${figure}`, minutes, value * factor)
    }
  }

  async #lookAtRedis(minutes: number): Promise<void> {
    const info = String(await this.#redis.call('INFO', ['memory']))
    this.#add('redis memory', minutes, Number(/used_memory:(\d+)/.exec(info)?.[1]) / mebibyte)
    const [kept, expiring] = await this.#countKeys()
    this.#add('redis kept keys', minutes, kept)
    this.#add('redis expiring keys', minutes, expiring)
  }

  async #countKeys(): Promise<readonly [kept: number, expiring: number]> {
    const info = String(await this.#redis.call('INFO', ['keyspace']))
    const [, keys = 0, expires = 0] = /keys=(\d+),expires=(\d+)/.exec(info)?.map(Number) ?? []
    return [keys - expires, expires]
  }

  #add(figure: string, minutes: number, value: number): void {
    const points = this.#series.get(figure) ?? []
    points.push({ minutes, value })
    this.#series.set(figure, points)
  }
}

/** Sum over all labels; undefined if the process has no such metric. */
function sumOf(text: string, metric: string): number | undefined {
  const lines = text.split('\n').filter((line) => new RegExp(`^${metric}[{ ]`).test(line))
  if (lines.length === 0) return undefined
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}
