import { InvalidInputError, quote } from './invalid-input.ts'

declare const brand: unique symbol

/** The place of an event in its stream: 1, 2, 3 … without gaps. 0 means that the stream does not exist. */
export type Version = number & { readonly [brand]: 'Version' }

/** The version of a stream that does not exist. */
export const noVersion = 0 as Version

/** Parses a version from a number or digits. @throws InvalidInputError unless the value is a whole number from 0. */
export function parseVersion(value: unknown, path = 'version'): Version {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number as Version
  throw new InvalidInputError(
    path,
    `${path} ${quote(value)} is not a version: expected a whole number from 0`,
  )
}

/** The version `steps` events later. */
export const versionAfter = (version: Version, steps = 1): Version => (version + steps) as Version

/** The condition of an append: a stream version, or a statement about its existence. 0 equals `no-stream`. */
export type ExpectedVersion = Version | 'any' | 'no-stream' | 'stream-exists'

const expectations: readonly unknown[] = ['any', 'no-stream', 'stream-exists']

/** Parses an expected version. @throws InvalidInputError unless the value is a version or one of `any`, `no-stream`, `stream-exists`. */
export function parseExpectedVersion(value: unknown): ExpectedVersion {
  if (expectations.includes(value)) return value as ExpectedVersion
  if (typeof value === 'number') return parseVersion(value, 'expectedVersion')
  throw new InvalidInputError(
    'expectedVersion',
    `expectedVersion ${quote(value)} is not supported: expected a whole number from 0, "any", "no-stream" or "stream-exists"`,
  )
}

/** Whether a stream at version `actual` meets the expectation. */
export function meetsExpectation(expected: ExpectedVersion, actual: Version): boolean {
  switch (expected) {
    case 'any':
      return true
    case 'no-stream':
      return actual === 0
    case 'stream-exists':
      return actual > 0
    default:
      return actual === expected
  }
}
