import { setTimeout as pause } from 'node:timers/promises'

import type { Process } from './processes.ts'
import { judge, rules, type Verdict } from './rules.ts'
import { Sampler } from './sampler.ts'
import { type LoadCounts, SteadyLoad } from './steady-load.ts'

interface SoakOptions {
  readonly processes: readonly Process[]
  readonly env: Readonly<Record<string, string>>
  readonly minutes: number
  /** Appends of one event per second. */
  readonly rate: number
}

interface SoakResult {
  readonly counts: LoadCounts
  readonly warmUpMinutes: number
  readonly verdicts: readonly Verdict[]
  /** Broken rules, in words. */
  readonly broken: readonly string[]
}

const sampleMs = 5_000
/** The share of the time after which compiled code, caches and remembered ids have reached their final size. */
const warmUpShare = 0.4
/** Share of the appends that were due. */
const missedShareMax = 0.01

/** Applies a constant load for a while, and judges memory, queues and keys after the warm-up. */
export async function soak(options: SoakOptions, say: (line: string) => void): Promise<SoakResult> {
  const { processes, env, minutes, rate } = options
  const load = new SteadyLoad(processes[0]?.url ?? '', rate)
  const sampler = new Sampler(processes, env)
  const ending = new AbortController()
  const sampling = sampler.run(sampleMs, ending.signal, (at) => {
    if (Math.round((at * 60_000) / sampleMs) % 6 === 0) say(`${at.toFixed(1)} min: ${summaryOf(load.counts)}`)
  })
  load.start()
  await pause(minutes * 60_000)
  ending.abort()
  await sampling
  await load.stop()
  const warmUpMinutes = minutes * warmUpShare
  const verdicts = [...sampler.since(warmUpMinutes)].flatMap(([figure, points]) => {
    const rule = rules[figure.slice(figure.lastIndexOf(' ') + 1)] ?? unruled
    return points.length < 3 ? [] : [judge(figure, rule, points)]
  })
  return {
    counts: load.counts,
    warmUpMinutes,
    verdicts,
    broken: brokenRules(load.counts, verdicts, processes),
  }
}

/** Shown but not judged: what Redis keeps of each event (a few bytes for its offset) grows with the log. */
const unruled = { unit: 'MB', slopeMax: Infinity, minutesMin: 0 }

function brokenRules(
  counts: LoadCounts,
  verdicts: readonly Verdict[],
  processes: readonly Process[],
): string[] {
  const missed = counts.failed + counts.heldBack
  const share = missed / (counts.sent + counts.heldBack)
  return [
    ...processes
      .filter((each) => each.hasEnded())
      .map(({ name, logTail }) => `the ${name} ended: ${logTail()}`),
    ...verdicts.filter(({ verdict }) => verdict === 'grows').map(({ figure }) => `${figure} grows`),
    ...(share > missedShareMax
      ? [`${missed} appends failed or were held back: this machine cannot sustain the rate`]
      : []),
  ]
}

const summaryOf = ({ acknowledged, failed, heldBack }: LoadCounts): string =>
  `${acknowledged} acknowledged, ${failed} failed, ${heldBack} held back`

export function formatSoak({ counts, warmUpMinutes, verdicts, broken }: SoakResult): string {
  const rows = verdicts.map(({ figure, unit, mean, slope, slopeError, verdict }) =>
    row(figure, `${round(mean)} ${unit}`, `${round(slope)} ± ${round(slopeError)}`, verdict),
  )
  return [
    `Appends: ${summaryOf(counts)}`,
    `After ${round(warmUpMinutes)} minutes of warm-up:`,
    row('figure', 'mean', 'slope per minute', 'verdict'),
    row('---', '---', '---', '---'),
    ...rows,
    broken.length === 0 ? 'All rules hold.' : `Broken: ${broken.join('; ')}`,
  ].join('\n')
}

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`

const round = (value: number): string => (Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(0))
