import type { Progress } from '#projections'

import type { ProgressDisplay } from '../progress-display.ts'
import type { ReplayProgress } from './replay-progress.ts'

const intervalMs = 500

/** Shows how far a replay is while it runs, in offsets: events, and now and then a marker. */
export async function watchReplay<T>(
  progress: ReplayProgress,
  display: ProgressDisplay,
  run: () => Promise<T>,
): Promise<T> {
  const before = placed(progress).done
  const startMs = performance.now()
  const show = (): void => display.show(paced(progress, before, (performance.now() - startMs) / 1_000))
  const ticking = setInterval(show, intervalMs)
  try {
    return await run()
  } finally {
    clearInterval(ticking)
    display.end()
  }
}

function placed({ partitions }: ReplayProgress): { done: number; total: number } {
  let done = 0
  let total = 0
  for (const { from, next, until } of partitions) {
    done += next - from
    total += until - from
  }
  return { done, total }
}

/** The rate is that of this run: what was done before a resumption took its own time. */
function paced(progress: ReplayProgress, before: number, seconds: number): Progress {
  const { done, total } = placed(progress)
  const rate = (done - before) / seconds
  return { done, total, rate, ...(rate > 0 && { etaSeconds: (total - done) / rate }) }
}
