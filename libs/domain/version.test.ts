import { describe, expect, test } from 'vitest'

import { meetsExpectation, noVersion, parseExpectedVersion, parseVersion, versionAfter } from './version.ts'

const malformed = [-1, 1.5, NaN, Infinity, 2 ** 53, '-1', '1.0', '', ' 1', null, undefined, {}]

describe('a version', () => {
  test.each([
    [0, 0],
    [42, 42],
    ['42', 42],
  ])('%j is read', (value, version) => expect(parseVersion(value)).toBe(version))

  test.each(malformed)('%j is rejected', (value) => {
    expect(() => parseVersion(value, 'fromVersion')).toThrow(
      expect.objectContaining({
        path: 'fromVersion',
        message: expect.stringMatching(
          /^fromVersion .* is not a version: expected a whole number from 0$/,
        ) as string,
      }),
    )
  })

  test('can be increased', () => {
    expect(versionAfter(noVersion)).toBe(1)
    expect(versionAfter(parseVersion(7), 3)).toBe(10)
  })
})

describe('an expected version', () => {
  test.each([0, 7, 'any', 'no-stream', 'stream-exists'])('%j is read', (value) =>
    expect(parseExpectedVersion(value)).toBe(value),
  )

  test.each([-1, 0.5])('%j is rejected as a version', (value) =>
    expect(() => parseExpectedVersion(value)).toThrow(/^expectedVersion .* is not a version/),
  )

  test.each(['7', 'none', null, undefined, true])('%j is not supported', (value) =>
    expect(() => parseExpectedVersion(value)).toThrow(/^expectedVersion .* is not supported: expected/),
  )

  test.each([
    ['any', 0, true],
    ['any', 3, true],
    ['no-stream', 0, true],
    ['no-stream', 1, false],
    ['stream-exists', 0, false],
    ['stream-exists', 1, true],
    [0, 0, true],
    [0, 1, false],
    [3, 3, true],
    [3, 2, false],
    [3, 4, false],
  ] as const)('%j meets a stream at %d: %s', (expected, actual, meets) => {
    expect(meetsExpectation(parseExpectedVersion(expected), parseVersion(actual))).toBe(meets)
  })
})
