import { leastSquares, type Point } from './least-squares.ts'

/** How a figure may change under a constant load. */
export interface Rule {
  readonly unit: string
  /** A figure that grows faster per minute is not flat: it would double within a day or two. */
  readonly slopeMax: number
  /** A shorter period after the warm-up is not conclusive: a heap varies from minute to minute. */
  readonly minutesMin: number
}

const errorsSure = 3

export interface Verdict {
  readonly figure: string
  readonly unit: string
  readonly mean: number
  readonly slope: number
  readonly slopeError: number
  readonly verdict: 'flat' | 'grows' | 'too short to tell'
}

/**
 * Whether a figure stayed flat after the warm-up. It did not if its line rises faster than the rule allows by more
 * than three standard errors.
 */
export function judge(figure: string, rule: Rule, points: readonly Point[]): Verdict {
  const line = leastSquares(points)
  const isFlat = line.slope <= rule.slopeMax || line.slope <= errorsSure * line.slopeError
  const minutes = (points.at(-1)?.minutes ?? 0) - (points[0]?.minutes ?? 0)
  const verdict = minutes < rule.minutesMin ? 'too short to tell' : isFlat ? 'flat' : 'grows'
  return { figure, unit: rule.unit, ...line, verdict }
}

/** By the last word of a figure's name. */
export const rules: Readonly<Record<string, Rule>> = {
  rss: { unit: 'MB', slopeMax: 2, minutesMin: 3 },
  heap: { unit: 'MB', slopeMax: 1, minutesMin: 3 },
  lag: { unit: 'ms', slopeMax: 20, minutesMin: 0.5 },
  queue: { unit: 'events', slopeMax: 100, minutesMin: 0.5 },
  keys: { unit: 'keys', slopeMax: 10, minutesMin: 0.5 },
}
