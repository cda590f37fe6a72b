import { InvalidInputError, quote } from './invalid-input.ts'

declare const brand: unique symbol

/** Place of an event in its stream: 1, 2, 3 …, no gap. 0 means that there is no stream. */
export type Version = number & { readonly [brand]: 'Version' }

/** The version of a stream that has no event yet. */
export const noVersion = 0 as Version

/** @throws InvalidInputError unless the value is a whole number from 0. */
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

/** What a caller believes of a stream when it appends. A number is the version it read; 0 equals `no-stream`. */
export type ExpectedVersion = Version | 'any' | 'no-stream' | 'stream-exists'

const expectations: readonly unknown[] = ['any', 'no-stream', 'stream-exists']

/** @throws InvalidInputError unless the value is a version or one of `any`, `no-stream`, `stream-exists`. */
export function parseExpectedVersion(value: unknown): ExpectedVersion {
  if (expectations.includes(value)) return value as ExpectedVersion
  if (typeof value === 'number') return parseVersion(value, 'expectedVersion')
  throw new InvalidInputError(
    'expectedVersion',
    `expectedVersion ${quote(value)} is not supported: expected a whole number from 0, "any", "no-stream" or "stream-exists"`,
  )
}

/** Whether a stream that stands at `actual` meets the expectation. */
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
