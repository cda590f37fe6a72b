import { setTimeout as pause } from 'node:timers/promises'

import { percentile } from '../measure.ts'
import { OpenLoop } from './open-loop.ts'
import type { Process } from './processes.ts'

interface OverloadResult {
  /** Appends per second that are accepted when callers wait for their responses. */
  readonly capacity: number
  readonly calmP99Ms: number
  readonly offered: number
  /** Appends that were not sent because all callers waited. */
  readonly heldBack: number
  readonly accepted: number
  readonly refused: number
  /** Neither accepted nor rejected with 503, by status. */
  readonly others: Readonly<Record<string, number>>
  readonly withoutRetryAfter: number
  readonly refusedP99Ms: number
  readonly acceptedP99Ms: number
  readonly acceptedMsMax: number
  /** From the end of the overload until appends are as fast as before. */
  readonly recoveryMs: number
  readonly broken: readonly string[]
}

interface OverloadTimes {
  /** Aggregate type to append to; default customer. */
  readonly type?: string
  readonly measureMs: number
  readonly overloadMs: number
}

/** Queues that three times the capacity fills at once. */
export const overloadBounds = {
  ANNALS_REQUESTS_MAX: '32',
  ANNALS_WRITER_QUEUE_EVENTS_MAX: '200',
  ANNALS_WRITER_BATCH_EVENTS_MAX: '200',
  ANNALS_WRITER_APPEND_EVENTS_MAX: '200',
}

const fullTimes: OverloadTimes = { measureMs: 10_000, overloadMs: 20_000 }
const factor = 3
const recoveryMsMax = 10_000
/**
 * As many requests are in flight as in the calm phase, so an accepted append should take as long as the slowest one
 * there, plus the CPU time that the callers and the rejections take on the same machine. A rejection waits for no
 * append.
 */
const acceptedMsBound = (calmP99Ms: number): number => Math.max(2_000, Math.round(5 * calmP99Ms))
const refusedMsBound = (calmP99Ms: number): number => Math.max(1_000, Math.round(3 * calmP99Ms))

/**
 * Applies three times the capacity of a service. It must reject the excess at once, stay alive, and recover right
 * after.
 */
export async function measureOverload(
  processes: readonly Process[],
  say: (line: string) => void,
  times: OverloadTimes = fullTimes,
): Promise<OverloadResult> {
  const newLoop = () => new OpenLoop(processes[0]?.url ?? '', times.type)
  // A warm-up, so that the code is compiled.
  await newLoop().closed(times.measureMs)
  const calm = await newLoop().closed(times.measureMs)
  say(`capacity: ${calm.perSecond} appends/s; now ${factor} times that …`)
  const loop = newLoop()
  const offered = calm.perSecond * factor
  await loop.connect()
  await loop.open(offered, times.overloadMs)
  say('waiting for recovery …')
  const recoveryMs = await recovered(newLoop, calm.p99Ms)
  const { acceptedMs, refusedMs, others, withoutRetryAfter } = loop
  const figures = {
    capacity: calm.perSecond,
    calmP99Ms: Math.round(calm.p99Ms),
    offered,
    heldBack: loop.heldBack,
    accepted: acceptedMs.length,
    refused: refusedMs.length + loop.refusedBeside,
    others: Object.fromEntries(others),
    withoutRetryAfter,
    refusedP99Ms: p99(refusedMs),
    acceptedP99Ms: p99(acceptedMs),
    acceptedMsMax: Math.round(acceptedMs.reduce((most, ms) => Math.max(most, ms), 0)),
    recoveryMs,
  }
  return { ...figures, broken: brokenRules(figures, processes) }
}

/** Until ten appends in a row are as fast as before. */
async function recovered(newLoop: () => OpenLoop, calmP99Ms: number): Promise<number> {
  const startedMs = performance.now()
  for (let inRow = 0; inRow < 10 && performance.now() - startedMs < 3 * recoveryMsMax;) {
    const { status, tookMs } = await newLoop().once()
    inRow = status === 201 && tookMs <= 2 * Math.max(calmP99Ms, 20) ? inRow + 1 : 0
    if (inRow === 0) await pause(50)
  }
  return Math.round(performance.now() - startedMs)
}

function brokenRules(figures: Omit<OverloadResult, 'broken'>, processes: readonly Process[]): string[] {
  const refusedMsMax = refusedMsBound(figures.calmP99Ms)
  const acceptedMsMax = acceptedMsBound(figures.calmP99Ms)
  const rules: readonly (readonly [isBroken: boolean, what: string])[] = [
    [figures.refused === 0, 'nothing was rejected: the load was not an overload'],
    [figures.withoutRetryAfter > 0, 'rejections came without Retry-After'],
    [Object.keys(figures.others).length > 0, 'there were responses other than 201 and 503'],
    [figures.refusedP99Ms > refusedMsMax, `rejections took longer than ${refusedMsMax} ms`],
    [figures.acceptedMsMax > acceptedMsMax, `accepted appends took longer than ${acceptedMsMax} ms`],
    [figures.recoveryMs > recoveryMsMax, `recovery took longer than ${recoveryMsMax} ms`],
    ...processes.map((each) => [each.hasEnded(), `the ${each.name} ended: ${each.logTail()}`] as const),
  ]
  return rules.filter(([isBroken]) => isBroken).map(([, what]) => what)
}

const p99 = (values: readonly number[]): number =>
  values.length === 0 ? 0 : Math.round(percentile(values, 99))

export function formatOverload(result: OverloadResult): string {
  const { broken, others, ...figures } = result
  return [
    ...Object.entries(figures).map(([name, value]) => `| ${name} | ${value} |`),
    `| others | ${JSON.stringify(others)} |`,
    broken.length === 0 ? 'All rules hold.' : `Broken: ${broken.join('; ')}`,
  ].join('\n')
}
