import { pause } from '#async'
import type { GenerationInfo, ProjectionInfo } from '#projections'

import type { ProgressDisplay } from './progress/progress-display.ts'

/**
 * `done`: the generation serves, or is kept as a view of the past. `given-up`: another rebuild replaced it, or it was discarded.
 * `stopped`: events that cannot be applied block it. `unwatched`: the signal ended the watch.
 */
export type RebuildEnd = 'done' | 'given-up' | 'stopped' | 'unwatched'

interface RebuildWatch {
  readonly describe: () => Promise<ProjectionInfo>
  readonly generation: string
  readonly display: ProgressDisplay
  readonly signal: AbortSignal
  /** The time between two requests; default 500. */
  readonly intervalMs?: number
}

/** Watches a rebuild until it ends. @returns how it ended, and its last known state. */
export async function watchRebuild({
  describe,
  generation,
  display,
  signal,
  intervalMs = 500,
}: RebuildWatch): Promise<{ readonly end: RebuildEnd; readonly last: GenerationInfo | undefined }> {
  try {
    for (;;) {
      const last = (await describe()).generations.find(({ id }) => id === generation)
      if (last !== undefined) display.show(last.progress)
      const end = endOf(last) ?? (signal.aborted ? 'unwatched' : undefined)
      if (end !== undefined) return { end, last }
      // An abort ends the pause; one more request follows.
      await pause(intervalMs, signal)
    }
  } finally {
    display.end()
  }
}

function endOf(generation: GenerationInfo | undefined): RebuildEnd | undefined {
  if (generation === undefined || generation.status === 'retired') return 'given-up'
  const { status, progress, partitions } = generation
  if (status === 'serving' || (status === 'kept' && progress.done >= progress.total)) return 'done'
  const behind = partitions.filter(({ lag }) => lag > 0)
  const isStill = behind.length > 0 && behind.every(({ stopped }) => stopped !== undefined)
  return isStill ? 'stopped' : undefined
}
