import { parseVersion, type Version } from '#domain'

import { UsageError } from './failure.ts'

/** Reads an option that is a version. @throws InvalidInputError that names the option. */
export const version =
  (option: string) =>
  (text: string): Version =>
    parseVersion(text, option)

/** Reads an option that is a whole number from 1. @throws UsageError that names the option. */
export const positiveCount =
  (option: string, max: number) =>
  (text: string): number => {
    const count = Number(text)
    if (/^\d+$/.test(text) && count >= 1 && count <= max) return count
    throw new UsageError(`${option} ${text}: expected a whole number from 1 to ${max}`)
  }
