import fc from 'fast-check'
import { expect, test } from 'vitest'

import { parseStreamId, parseVersion } from '#domain'

import { StreamVersions } from './stream-versions.ts'

type Step = readonly [streamId: string, version: number, offset: number, partition?: number]

const eventOf = ([id, version, offset]: Step) => ({
  streamId: parseStreamId(id),
  version: parseVersion(version),
  offset,
})

const verdictsOf = (versions: StreamVersions, steps: readonly Step[]) =>
  steps.map((step) => versions.note(step[3] ?? 0, eventOf(step)))

test.each<{ title: string; steps: readonly Step[]; verdicts: readonly (number | undefined)[] }>([
  {
    title: 'versions that follow',
    steps: [
      ['a.1', 1, 0],
      ['a.1', 2, 1],
      ['a.1', 3, 5],
    ],
    verdicts: [undefined, undefined, undefined],
  },
  {
    title: 'a stream that is first seen at any version',
    steps: [
      ['a.1', 7, 40],
      ['a.1', 8, 41],
    ],
    verdicts: [undefined, undefined],
  },
  {
    title: 'a duplicate, and what follows the original',
    steps: [
      ['a.1', 1, 0],
      ['a.1', 1, 1],
      ['a.1', 2, 2],
    ],
    verdicts: [undefined, 1, undefined],
  },
  {
    title: 'a gap, and what fills it',
    steps: [
      ['a.1', 1, 0],
      ['a.1', 9, 1],
      ['a.1', 2, 2],
    ],
    verdicts: [undefined, 1, undefined],
  },
  {
    title: 'two streams',
    steps: [
      ['a.1', 1, 0],
      ['a.2', 5, 1],
      ['a.1', 2, 2],
      ['a.2', 6, 3],
    ],
    verdicts: [undefined, undefined, undefined, undefined],
  },
  {
    title: 'one stream in two partitions',
    steps: [
      ['a.1', 1, 0, 0],
      ['a.1', 1, 0, 1],
      ['a.1', 2, 1, 1],
    ],
    verdicts: [undefined, undefined, undefined],
  },
  {
    title: 'records that are read again',
    steps: [
      ['a.1', 1, 0],
      ['a.1', 1, 1],
      ['a.1', 2, 2],
      ['a.1', 1, 0],
      ['a.1', 1, 1],
      ['a.1', 2, 2],
      ['a.1', 3, 3],
    ],
    verdicts: [undefined, 1, undefined, undefined, 1, undefined, undefined],
  },
])('$title', ({ steps, verdicts }) => {
  expect(verdictsOf(new StreamVersions(10), steps)).toEqual(verdicts)
})

test('only the most recently seen streams are remembered', () => {
  const versions = new StreamVersions(2)
  verdictsOf(versions, [
    ['a.1', 1, 0],
    ['a.2', 1, 1],
    ['a.3', 1, 2],
  ])
  expect(
    verdictsOf(versions, [
      ['a.1', 9, 3],
      ['a.3', 9, 4],
    ]),
  ).toEqual([undefined, 1])
})

test('a forgotten stream is accepted at any version; others are not', () => {
  const versions = new StreamVersions(10)
  verdictsOf(versions, [
    ['a.1', 1, 0],
    ['a.2', 1, 1],
  ])
  versions.forgetStream(0, eventOf(['a.1', 1, 0]))
  expect(
    verdictsOf(versions, [
      ['a.1', 9, 2],
      ['a.2', 9, 3],
    ]),
  ).toEqual([undefined, 1])
  versions.clear()
  expect(verdictsOf(versions, [['a.2', 9, 4]])).toEqual([undefined])
})

test('a record that is accepted after its stream was forgotten is accepted again when it is redelivered', () => {
  const versions = new StreamVersions(10)
  expect(
    verdictsOf(versions, [
      ['a.1', 1, 0],
      ['a.1', 9, 1],
    ]),
  ).toEqual([undefined, 1])
  versions.clear()
  expect(
    verdictsOf(versions, [
      ['a.1', 9, 1],
      ['a.1', 9, 1],
    ]),
  ).toEqual([undefined, undefined])
})

test('reading again from any record gives the same results', () => {
  const step = fc.tuple(fc.constantFrom('a.1', 'a.2'), fc.integer({ min: 1, max: 5 }))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.nat(30), (story, from) => {
      const steps = story.map(([id, version], offset): Step => [id, version, offset])
      const versions = new StreamVersions(10)
      const first = verdictsOf(versions, steps)
      expect(verdictsOf(versions, steps.slice(from))).toEqual(first.slice(from))
    }),
  )
})
