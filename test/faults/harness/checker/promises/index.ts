import { acknowledgedStays } from './acknowledged-stays.ts'
import { contiguousVersions } from './contiguous-versions.ts'
import { eachEventOnce } from './each-event-once.ts'
import { fewEpochs } from './few-epochs.ts'
import { freshViews } from './fresh-views.ts'
import { indexEqualsLog } from './index-equals-log.ts'
import { linearizable } from './linearizable.ts'
import { nothingUnasked } from './nothing-unasked.ts'
import type { Promised } from './promised.ts'
import { refusedAbsent } from './refused-absent.ts'
import { sameAnswer } from './same-answer.ts'
import { trueReads } from './true-reads.ts'
import { trueSnapshots } from './true-snapshots.ts'
import { trueViews } from './true-views.ts'
import { versionOrder } from './version-order.ts'
import { wholeBatches } from './whole-batches.ts'

/** All promises, the simplest first. */
export const promises: readonly Promised[] = [
  contiguousVersions,
  versionOrder,
  eachEventOnce,
  acknowledgedStays,
  refusedAbsent,
  nothingUnasked,
  wholeBatches,
  sameAnswer,
  trueReads,
  linearizable,
  indexEqualsLog,
  trueSnapshots,
  trueViews,
  freshViews,
  fewEpochs,
]
