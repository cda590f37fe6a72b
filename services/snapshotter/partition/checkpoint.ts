import type { SnapshotRebuild } from '#event-store'
import type { SnapshotCheckpoint } from '#redis-index'

/** Stores a checkpoint. */
export type CheckpointStore = Pick<SnapshotCheckpoint, 'read' | 'replace'>

/** The progress of the snapshots of a partition. */
export interface CheckpointState {
  /** Kafka's id of the event topic. A different id means a different log. */
  readonly topicId: string
  /** Snapshots of this state version were taken. */
  readonly stateVersion: number
  /** Offset of the first event that is not processed yet. */
  readonly nextOffset: number
  /** The owner and term that moved it last. Other owners stop when they see it. */
  readonly owner: string
  readonly rebuild?: RebuildRange
}

/** The part of the log that a rebuild processes. */
interface RebuildRange {
  readonly startedAtMs: number
  readonly from: number
  readonly until: number
  /** Offset up to which it has folded events. It is reported only: a new owner continues at the checkpoint. */
  readonly foldedTo?: number
  readonly finishedAtMs?: number
}

/** A checkpoint as last read or written. */
export interface HeldCheckpoint {
  readonly state: CheckpointState
  /** The value in Redis. */
  readonly text: string
}

/** Reads the checkpoint; `state` is undefined if there is none. @throws IndexUnavailableError */
export async function readCheckpoint(
  checkpoint: CheckpointStore,
): Promise<{ readonly text: string; readonly state: CheckpointState | undefined }> {
  const text = await checkpoint.read()
  return { text, state: text === '' ? undefined : (JSON.parse(text) as CheckpointState) }
}

/** Replaces the checkpoint. @returns undefined if another process has moved it. @throws IndexUnavailableError */
export async function moveCheckpoint(
  checkpoint: CheckpointStore,
  seen: string,
  state: CheckpointState,
): Promise<HeldCheckpoint | undefined> {
  const text = JSON.stringify(state)
  return (await checkpoint.replace(seen, text)) ? { state, text } : undefined
}

/** The state at a later offset. A rebuild whose range is processed is finished. */
export function advanced(state: CheckpointState, nextOffset: number, nowMs = Date.now()): CheckpointState {
  const { rebuild } = state
  const isFinished = rebuild !== undefined && !('finishedAtMs' in rebuild) && nextOffset >= rebuild.until
  return {
    ...state,
    nextOffset,
    ...(isFinished && { rebuild: { ...rebuild, finishedAtMs: nowMs } }),
  }
}

/** The state of a rebuild that has folded events up to an offset, but has not taken their snapshots yet. */
export function withProgress(state: CheckpointState, foldedTo: number): CheckpointState {
  return state.rebuild === undefined ? state : { ...state, rebuild: { ...state.rebuild, foldedTo } }
}

/** Whether a rebuild is in progress: snapshots are then folded from events only. */
export const isRebuilding = ({ rebuild }: CheckpointState): boolean =>
  rebuild !== undefined && rebuild.finishedAtMs === undefined

/** The progress of a rebuild over all these partitions. */
export function rebuildProgress(
  states: readonly (CheckpointState | undefined)[],
  nowMs = Date.now(),
): SnapshotRebuild {
  const rebuilt = states.flatMap((state) =>
    state?.rebuild === undefined ? [] : [{ nextOffset: doneTo(state), range: state.rebuild }],
  )
  if (rebuilt.length === 0) return { status: 'none', done: 0, total: 0, rate: 0 }
  const ranges = rebuilt.map(({ range }) => range)
  const startedAtMs = Math.min(...ranges.map((range) => range.startedAtMs))
  const isDone = ranges.every(({ finishedAtMs }) => finishedAtMs !== undefined)
  const endMs = isDone ? Math.max(...ranges.map(({ finishedAtMs = 0 }) => finishedAtMs)) : nowMs
  const total = sum(ranges.map(({ from, until }) => until - from))
  const done = sum(
    rebuilt.map(({ nextOffset, range: { from, until } }) => Math.min(nextOffset, until) - from),
  )
  const rate = done / Math.max(0.001, (endMs - startedAtMs) / 1_000)
  return {
    status: isDone ? 'done' : 'running',
    startedAt: new Date(startedAtMs).toISOString(),
    done,
    total,
    rate: Math.round(rate),
    ...(done < total && rate > 0 && { etaSeconds: Math.ceil((total - done) / rate) }),
  }
}

const doneTo = ({ nextOffset, rebuild }: CheckpointState): number =>
  Math.max(nextOffset, rebuild?.foldedTo ?? 0)

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
