import { availableParallelism, cpus, totalmem } from 'node:os'
import { performance } from 'node:perf_hooks'

import type { BenchOptions } from './options.ts'

/** The machine of a bench. Figures of two machines cannot be compared. */
interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly node: string
  readonly platform: string
}

/** A bench by name: `npm run bench -- <name>`. */
export interface Bench<Result> {
  /**
   * @param say reports progress
   * @throws BenchUsageError if the options name something that the bench does not have
   */
  run(say: (line: string) => void, options: BenchOptions): Promise<Result>
  /** The result as readable text; `--json` prints it as JSON. */
  format(result: Result): string
}

export const machine = (): Machine => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
})

/** The middle value, or the mean of the two middle ones. @throws RangeError without values. */
export const median = (values: readonly number[]): number => percentile(values, 50)

/** Linear interpolation between the two nearest ranks. @throws RangeError without values. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const rank = ((sorted.length - 1) * percent) / 100
  const [below, above] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]]
  if (below === undefined || above === undefined) throw new RangeError('no values were measured')
  return below + (above - below) * (rank - Math.floor(rank))
}

/** The median of each figure separately. @throws RangeError without results. */
export function medians<Figures extends object>(results: readonly Figures[]): Figures {
  const [first] = results
  if (first === undefined) throw new RangeError('nothing was measured')
  const names = Object.keys(first) as (keyof Figures)[]
  const figures = names.map((name) => [name, median(results.map((result) => Number(result[name])))])
  return Object.fromEntries(figures) as Figures
}

/** The duration of a call, in milliseconds. */
export async function timeMs(run: () => unknown): Promise<number> {
  const start = performance.now()
  await run()
  return performance.now() - start
}

/**
 * How often per second several contenders can do their work. They run one after the other in each round, so that other
 * load on the machine affects them alike. The result is the median of the rounds, after one warm-up round.
 * @param contenders each does its work `count` times
 */
export async function perSecond<Name extends string>(
  contenders: Readonly<Record<Name, (count: number) => unknown>>,
  { rounds, count }: { readonly rounds: number; readonly count: number },
): Promise<Record<Name, number>> {
  const names = Object.keys(contenders) as Name[]
  const rates = new Map<Name, number[]>(names.map((name) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const elapsedMs = await timeMs(() => contenders[name](count))
      if (round > 0) rates.get(name)?.push((count / elapsedMs) * 1000)
    }
  }
  const medians = names.map((name) => [name, Math.round(median(rates.get(name) ?? []))])
  return Object.fromEntries(medians) as Record<Name, number>
}
