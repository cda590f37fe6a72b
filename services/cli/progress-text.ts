import type { Progress } from '#projections'

/** A number as people read it: `69,659`. */
export const grouped = (count: number): string => count.toLocaleString('en-US', { maximumFractionDigits: 0 })

/** 100 only when nothing is left. */
export const percentage = ({ done, total }: Progress): number =>
  total === 0 ? 100 : Math.floor((100 * done) / total)

/** `34 % (23,000 of 69,659), 21,000/s, 3 s left` */
export const progressText = (progress: Progress): string =>
  [
    `${percentage(progress)} % (${grouped(progress.done)} of ${grouped(progress.total)})`,
    ...pace(progress),
  ].join(', ')

/** What there is to say of a rate only where something moves. */
const pace = (progress: Progress): readonly string[] =>
  progress.etaSeconds === undefined
    ? []
    : [`${grouped(progress.rate)}/s`, `${duration(progress.etaSeconds)} left`]

/** `45 s`, `3 min 20 s`, `2 h 5 min` */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${grouped(Math.floor(minutes / 60))} h ${minutes % 60} min`
}
