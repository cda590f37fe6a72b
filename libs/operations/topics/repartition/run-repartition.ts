import type { Config } from '#config'
import type { Connections } from '#service'

import { type JobControl, noticesTo, PhaseProgress } from '../../job-control.ts'
import { type MovePlan, planOnly } from './dry-run.ts'
import { eventCount, passes, Repartition, type Repartitioned } from './repartition.ts'

export interface RepartitionRequest {
  readonly aggregateType: string
  /** Undefined resumes the move in progress. */
  readonly partitions: number | undefined
  /** How long a service that was starting when the move started may take to join its group; default 10 s. */
  readonly settleMs?: number
}

/** `interrupted`: nothing is lost, and the same request resumes the move. Until it is done, no service of the type starts. */
export type RepartitionEnd =
  (Repartitioned & { readonly status: 'moved'; readonly tookMs: number }) | { readonly status: 'interrupted' }

const settleMsDefault = 10_000

/** Moves the events of an aggregate type to another number of partitions. @throws OperationError, LogError, IndexUnavailableError */
export async function runRepartition(
  config: Config,
  connections: Connections,
  { aggregateType, partitions, settleMs = settleMsDefault }: RepartitionRequest,
  control: JobControl<'moving'>,
): Promise<RepartitionEnd> {
  const { signal } = control
  const beganMs = performance.now()
  const total = passes * (await eventCount(connections, aggregateType))
  const progress = new PhaseProgress(control, { phase: 'moving', unit: 'records' }, total)
  const move = new Repartition(connections, config, {
    ...{ aggregateType, partitions, settleMs, signal, notify: noticesTo(control) },
    advance: (records) => progress.advance(records),
  })
  try {
    return { status: 'moved', ...(await move.run()), tookMs: performance.now() - beganMs }
  } catch (error) {
    if (signal.aborted) return { status: 'interrupted' }
    throw error
  }
}

/** Cancels a move that has deleted nothing yet. @throws OperationError `no-move`, `too-late`; LogError */
export const abortRepartition = (
  config: Config,
  connections: Connections,
  aggregateType: string,
): Promise<void> =>
  new Repartition(connections, config, {
    ...{ aggregateType, partitions: undefined, settleMs: settleMsDefault },
    ...{ advance: () => undefined, notify: () => undefined, signal: new AbortController().signal },
  }).abort()

/** Reads all keys of a topic, and changes nothing. @throws OperationError if it cannot be moved; LogError */
export function planRepartition(
  config: Config,
  connections: Pick<Connections, 'cluster'>,
  { aggregateType, partitions }: { readonly aggregateType: string; readonly partitions: number },
  control: Pick<JobControl<'planning'>, 'onProgress'>,
): Promise<MovePlan> {
  const progress = new PhaseProgress(control, { phase: 'planning', unit: 'records' }, 0)
  return planOnly(connections, config, aggregateType, partitions, (records) => progress.advance(records))
}
