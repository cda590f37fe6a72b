import type { Progress } from '#projections'

/** Progress as it is shown to a person. */
export interface ShownProgress extends Progress {
  /** The current work: `appending`. */
  readonly what?: string
  /** What is counted: `events`; `bytes` are shown as MB. */
  readonly unit?: string
  /** What the work waits for, and for how long. */
  readonly waiting?: { readonly for: string; readonly seconds: number }
}

/** A number with thousands separators: `69,659`. */
export const grouped = (count: number): string => count.toLocaleString('en-US', { maximumFractionDigits: 0 })

/** Rounded down: 100 only when nothing is left. */
const percentage = ({ done, total }: Progress): number =>
  total === 0 ? 100 : Math.floor((100 * done) / total)

/** `appending: 34 % (23,000 of 69,659 events), 21,000 events/s, 3 s left` */
export const progressText = (progress: ShownProgress): string =>
  [
    `${progress.what === undefined ? '' : `${progress.what}: `}${percentage(progress)} % (${doneOf(progress)})`,
    ...pace(progress),
  ].join(', ')

/** `23,000 of 69,659 events` */
export const doneOf = ({ done, total, unit }: ShownProgress): string =>
  `${amount(done, unit)} of ${amount(total, unit)}${unitAfter(unit)}`

/** Rate and time left; instead of them what the work waits for. Empty if nothing has moved yet. */
export function pace({ rate, etaSeconds, unit, waiting }: ShownProgress): readonly string[] {
  if (waiting !== undefined) return [`waiting for ${waiting.for} (${durationText(waiting.seconds)})`]
  return etaSeconds === undefined
    ? []
    : [`${amount(rate, unit)}${unitAfter(unit)}/s`, `${durationText(etaSeconds)} left`]
}

const amount = (count: number, unit: string | undefined): string =>
  unit === 'bytes' ? (count / 1_000_000).toFixed(1) : grouped(count)

const unitAfter = (unit: string | undefined): string =>
  unit === undefined ? '' : unit === 'bytes' ? ' MB' : ` ${unit}`

/** `45 s`, `3 min 20 s`, `2 h 5 min` */
export function durationText(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${grouped(Math.floor(minutes / 60))} h ${minutes % 60} min`
}
