import { isDeepStrictEqual } from 'node:util'

import type { Projection } from '#domain'
import type { ViewStore } from '#projections'

import type { Findings } from './finding.ts'
import { type FoldedLog, foldLog, type FoldLogParts, UnfoldableError } from './fold-log.ts'
import { type Look, lookAtViews } from './look-at-views.ts'
import type { VerifyCounts } from './verify-counts.ts'

interface ViewsVerification extends FoldLogParts {
  readonly store: Pick<ViewStore, 'generations' | 'views' | 'parked'>
  readonly findings: Findings
  readonly counts: VerifyCounts
}

/**
 * Folds the log with the reducers of the projection, and compares the serving views with the result. Views that change meanwhile are skipped.
 * All views of the projection are in memory twice.
 * @throws ViewStoreUnavailableError, LogError, SchemaError `registry-unreachable`
 */
export async function verifyViews(projection: Projection, context: ViewsVerification): Promise<void> {
  const { counts, findings, store, signal } = context
  const look = projection.ttlMs === undefined ? await lookAtViews(projection, store) : 'its views expire'
  if (typeof look === 'string') {
    counts.viewsLeftOut.push(`${projection.name}: ${look}`)
    return
  }
  const where = { projection: projection.name, generation: look.generation }
  try {
    const folded = await foldLog(projection, look, context)
    if (signal.aborted) return
    compare(projection, look, folded, counts, (code, message, key) =>
      findings.add('views', code, message, { ...where, key }),
    )
  } catch (error) {
    if (!(error instanceof UnfoldableError)) throw error
    findings.add('views', 'fold-failed', error.message, where)
  }
}

function compare(
  projection: Projection,
  { views, figures }: Look,
  folded: FoldedLog,
  counts: VerifyCounts,
  report: (code: string, message: string, key: string) => void,
): void {
  for (const key of new Set([...views.keys(), ...folded.views.keys()])) {
    if (folded.underWay.has(key)) {
      counts.viewsUnderWay++
      continue
    }
    counts.views++
    const stored = views.get(key)
    const expected = folded.views.get(key)
    if (stored === undefined) report('view-missing', 'the log folds to this view, but it does not exist', key)
    else if (expected === undefined) report('view-unknown', 'it exists, but the log does not fold to it', key)
    else if (!isDeepStrictEqual(JSON.parse(stored), JSON.parse(JSON.stringify(expected)))) {
      report('view-differs', 'it differs from the fold of the log', key)
    } else {
      for (const message of wrongFigures(projection, expected, figures, key))
        report('figure-differs', message, key)
    }
  }
}

/** Index values are stored apart from the views, and can differ from them. */
function* wrongFigures(
  projection: Projection,
  view: unknown,
  figures: Look['figures'],
  key: string,
): Iterable<string> {
  const expected = projection.indexValues(view)
  for (const [index, stored] of figures) {
    const figure = stored.get(key)
    if (figure === expected[index]) continue
    const actual = figure === undefined ? 'has no value for it' : `has the value ${figure}`
    yield `index ${index} ${actual}, expected ${expected[index]} from its view`
  }
}
