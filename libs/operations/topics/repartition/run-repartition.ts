import type { Config } from '#config'
import type { Connections } from '#service'

import {
  type Interrupted,
  type JobControl,
  noticesTo,
  orInterrupted,
  PhaseProgress,
  timed,
} from '../../job-control.ts'
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
  (Repartitioned & { readonly status: 'moved'; readonly tookMs: number }) | Interrupted

/** `interrupted`: the rest was not read. */
export type RepartitionPlan =
  (MovePlan & { readonly status: 'planned'; readonly tookMs: number }) | Interrupted

const settleMsDefault = 10_000

/** Moves the events of an aggregate type to another number of partitions. @throws OperationError, LogError, IndexUnavailableError */
export function runRepartition(
  config: Config,
  connections: Connections,
  { aggregateType, partitions, settleMs = settleMsDefault }: RepartitionRequest,
  control: JobControl<'moving'>,
): Promise<RepartitionEnd> {
  const { signal } = control
  const work = async () => {
    const total = passes * (await eventCount(connections, aggregateType))
    const progress = new PhaseProgress(control, { phase: 'moving', unit: 'records' }, total)
    const move = new Repartition(connections, config, {
      ...{ aggregateType, partitions, settleMs, signal, notify: noticesTo(control) },
      advance: (records) => progress.advance(records),
    })
    return { status: 'moved' as const, ...(await move.run()) }
  }
  return orInterrupted(control, () => timed(work))
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
  control: JobControl<'planning'>,
): Promise<RepartitionPlan> {
  const { signal } = control
  const progress = new PhaseProgress(control, { phase: 'planning', unit: 'records' }, 0)
  const advance = (records: number) => progress.advance(records)
  const work = async () => ({
    status: 'planned' as const,
    ...(await planOnly(connections, config, { aggregateType, partitions, advance, signal })),
  })
  return orInterrupted(control, () => timed(work))
}
