import { parseQuantity, sizeUnits, timeUnits } from '#config'
import { parsePosition, parseVersion, type Position, type Version } from '#domain'
import { parseTime } from '#event-store'

import { UsageError } from './failure.ts'

/** Reads an option that is a version. @throws InvalidInputError that names the option. */
export const version =
  (option: string) =>
  (text: string): Version =>
    parseVersion(text, option)

/** Reads an option that is a whole number. @throws UsageError that names the option. */
export const count =
  (option: string, min: number, max: number) =>
  (text: string): number => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= min && number <= max) return number
    throw new UsageError(`${option} ${text}: expected a whole number from ${min} to ${max}`)
  }

const quantity =
  (units: typeof timeUnits | typeof sizeUnits, example: string) =>
  (option: string) =>
  (text: string): number => {
    const parsed = parseQuantity(text, units)
    if ('value' in parsed && parsed.value > 0) return parsed.value
    const problem = 'problem' in parsed ? parsed.problem : 'it is nothing'
    throw new UsageError(`${option} ${text}: ${problem}: expected e.g. ${example}`)
  }

/** Reads an option that is a duration. @returns milliseconds. @throws UsageError that names the option. */
export const durationMs = quantity(timeUnits, '30s, 15m or 1h')

/** Reads an option that is a size. @returns bytes. @throws UsageError that names the option. */
export const sizeBytes = quantity(sizeUnits, '512KiB or 64MiB')

/** Reads an option that is a date or a time. @returns its text. @throws EventStoreError `invalid-request` that names the option. */
export const time =
  (option: string) =>
  (text: string): string => {
    parseTime(text, option)
    return text
  }

/** Reads positions one after another, as arguments that may stand there more than once. @throws InvalidInputError */
export const positions = (token: string, before: readonly Position[] = []): readonly Position[] => [
  ...before,
  parsePosition(token),
]

/** What cannot be undone needs a word. @throws UsageError that says what would be done. */
export function checkYes({ yes }: { readonly yes?: boolean }, what: string): void {
  if (yes !== true) throw new UsageError(`this would ${what}: add --yes to do it`)
}
