import { streamIdOf } from '#domain'

import type { RunningWriter } from '../contenders/core.ts'
import { appended } from '../domain/domain.ts'

export const scaleType = 'bench-scale'
const scaleStream = (n: number) => streamIdOf(scaleType, String(n))

const inFlight = 512
const progressMs = 5_000

/**
 * Appends one event to each of the streams `from` to `to` - 1.
 * @returns appends per second
 */
export async function fill(
  { service }: RunningWriter,
  from: number,
  to: number,
  say: (line: string) => void,
): Promise<number> {
  const startMs = performance.now()
  let next = from
  const caller = async () => {
    for (let n = next++; n < to; n = next++)
      await service.writer.local.append(scaleStream(n), [appended], { expectedVersion: 'no-stream' })
  }
  const perSecond = () => ((Math.min(next, to) - from) / (performance.now() - startMs)) * 1_000
  const progress = setInterval(
    () => say(`${Math.min(next, to)} of ${to} streams, ${Math.round(perSecond())}/s`),
    progressMs,
  )
  try {
    await Promise.all(Array.from({ length: inFlight }, caller))
  } finally {
    clearInterval(progress)
  }
  return perSecond()
}
