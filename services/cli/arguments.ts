import { parseQuantity, sizeUnits, timeUnits } from '#config'
import { parsePosition, parseVersion, type Position, type Version } from '#domain'
import { parseTime } from '#event-store'

import { UsageError } from './failure.ts'

/** Parses an option that is a version. @throws InvalidInputError that names the option. */
export const version =
  (option: string) =>
  (text: string): Version =>
    parseVersion(text, option)

/** Parses an option that is a whole number from `min` to `max`. @throws UsageError that names the option. */
export const wholeNumber =
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
    const problem = 'problem' in parsed ? parsed.problem : 'it must be more than 0'
    throw new UsageError(`${option} ${text}: ${problem}: expected e.g. ${example}`)
  }

/** Parses an option that is a duration. @returns milliseconds. @throws UsageError that names the option. */
export const durationMs = quantity(timeUnits, '30s, 15m or 1h')

/** Parses an option that is a size. @returns bytes. @throws UsageError that names the option. */
export const sizeBytes = quantity(sizeUnits, '512KiB or 64MiB')

/** Checks an option that is a date or a time. @returns its text. @throws EventStoreError `invalid-request` that names the option. */
export const time =
  (option: string) =>
  (text: string): string => {
    parseTime(text, option)
    return text
  }

/** Adds a position to those before it, for an argument that may be repeated. @throws InvalidInputError */
export const positions = (token: string, before: readonly Position[] = []): readonly Position[] => [
  ...before,
  parsePosition(token),
]

/** Adds a value to those before it, for an option that may be repeated. */
export const again = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** Requires `--yes` for what cannot be undone. @param what completes "this would". @throws UsageError that says what the command would do. */
export function checkYes({ yes }: { readonly yes?: boolean }, what: string): void {
  if (yes !== true) throw new UsageError(`this would ${what}: add --yes to confirm`)
}
