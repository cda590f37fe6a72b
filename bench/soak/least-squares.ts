/** A value at a time. */
export interface Point {
  readonly minutes: number
  readonly value: number
}

export interface Line {
  /** Change of the value per minute. */
  readonly slope: number
  /** Standard error of the slope: how much of it chance alone explains. */
  readonly slopeError: number
  readonly mean: number
}

/** The least-squares line through points (https://en.wikipedia.org/wiki/Simple_linear_regression); three or more. */
export function leastSquares(points: readonly Point[]): Line {
  const count = points.length
  if (count < 3) throw new RangeError('a line needs three points')
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / count
  const meanX = meanOf(points.map(({ minutes }) => minutes))
  const mean = meanOf(points.map(({ value }) => value))
  const sum = (of: (point: Point) => number) => points.reduce((total, point) => total + of(point), 0)
  const squares = sum(({ minutes }) => (minutes - meanX) ** 2)
  const slope = sum(({ minutes, value }) => (minutes - meanX) * (value - mean)) / squares
  const rest = sum(({ minutes, value }) => (value - mean - slope * (minutes - meanX)) ** 2)
  return { slope, slopeError: Math.sqrt(rest / (count - 2) / squares), mean }
}
