import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { AppendOperation, Operation, Remains } from '../history.ts'
import { check } from './check.ts'
import { countedEvents } from './counted.ts'
import type { Decrees } from './decree.ts'
import { decreed } from './decrees.ts'
import { type Case, goodHistories } from './testing/good-history.ts'
import { acknowledged } from './testing/mutations.ts'
import { withoutHead } from './without-head.ts'

const newFromMs = 1_000_000

const movedLater = (history: readonly Operation[], byMs: number, byOp: number): Operation[] =>
  history.map((operation) => ({
    ...operation,
    op: operation.op + byOp,
    calledAtMs: operation.calledAtMs + byMs,
    endedAtMs: operation.endedAtMs + byMs,
  }))

/** The same events with other ids. */
const renamed = ({ history, remains }: Case): Case =>
  JSON.parse(
    JSON.stringify({ history, remains }, (name, value: unknown) => {
      if (name === 'id' && typeof value === 'string' && value.includes('-')) return `old-${value}`
      return name === 'eventIds' ? (value as string[]).map((id) => `old-${id}`) : value
    }),
  ) as Case

const brokenPromises = (history: readonly Operation[], remains: Remains, decrees?: Decrees) =>
  check(history, remains, decrees).map(({ promise }) => promise)

/** An installation in which nothing was found after the run. */
const nothingRemains: Remains = {
  log: [],
  markers: [],
  starts: [],
  index: [],
  snapshots: [],
  views: [],
  projections: [],
}

describe('a topic that was deleted and created again', () => {
  const decrees: Decrees = {
    recreated: [{ type: 'customer', goneAtMs: newFromMs - 1_000, servedAtMs: newFromMs - 500 }],
    shortened: [],
  }
  const headOfOldLog = [0, 1].map((partition) => ({
    ...{ topic: 'eventstore.customer', partition, partitions: 2, startOffset: 3, atMs: newFromMs - 2_000 },
  }))
  const both = fc.tuple(goodHistories, goodHistories).map(([before, after]) => ({
    history: [...renamed(before).history, ...movedLater(after.history, newFromMs, 1_000)],
    // Snapshots of the old log may stay in their topic.
    remains: {
      ...after.remains,
      snapshots: [
        ...before.remains.snapshots.filter(({ from }) => from === 'topic'),
        ...after.remains.snapshots,
      ],
    },
    after,
  }))

  test('its old content causes no violation', () => {
    fc.assert(
      fc.property(both, ({ history, remains }) => {
        expect(brokenPromises(history, remains, decrees)).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    ['', decrees],
    [', although the head of the old one had been deleted', { ...decrees, shortened: headOfOldLog }],
  ])('appends acknowledged after the deletion must be in the new log%s', (_, decrees) => {
    let lost = 0
    fc.assert(
      fc.property(both, fc.nat(), ({ history, remains, after }, which) => {
        const all = acknowledged(after)
        const event = all[which % Math.max(1, all.length)]?.events[0]
        if (event === undefined) return
        lost++
        expect(brokenPromises(history, remains, decrees)).toEqual([])
        const log = remains.log.filter(({ id }) => id !== event.id)
        expect(brokenPromises(history, { ...remains, log }, decrees)).toContain(
          'acknowledged events are where the answer said',
        )
      }),
      { numRuns: 200 },
    )
    expect(lost).toBeGreaterThan(50)
  })

  test('a response with a position of the old log, to a call after the deletion, is a violation', () => {
    const append: Omit<AppendOperation, 'calledAtMs' | 'endedAtMs'> = {
      ...{ op: 1, client: 1, kind: 'append', streamId: 'customer.1', expectedVersion: 'any' },
      events: [{ id: 'late', type: 'PurchaseMade', data: { date: '1997-01-01', cds: 1, amount: '0.10' } }],
      outcome: {
        ...{ is: 'acknowledged', firstVersion: 3, lastVersion: 3, eventIds: ['late'], duplicate: false },
        position: { topic: 'eventstore.customer', partition: 1, offset: 17 },
      },
    }
    const at = (calledAtMs: number) => [{ ...append, calledAtMs, endedAtMs: calledAtMs + 1 }]
    expect(brokenPromises(at(newFromMs - 2_000), nothingRemains, decrees)).toEqual([])
    expect(brokenPromises(at(newFromMs - 900), nothingRemains, decrees)).toContain(
      'acknowledged events are where the answer said',
    )
  })
})

describe('a partition whose head was deleted', () => {
  const isInPartition = (streamId: string) => Number(streamId.at(-1)) % 2 === 1
  /** Cuts the log before an append, and gives the expected index. */
  const cut = ({ history, remains }: Case, which: number) => {
    const log = countedEvents(remains)
    const appends = acknowledged({ history, remains }).filter(({ streamId }) => isInPartition(streamId))
    const { outcome } = appends[which % Math.max(1, appends.length)] ?? {}
    if (outcome === undefined) return undefined
    const startOffset = outcome.position.offset - (outcome.lastVersion - outcome.firstVersion)
    const isLeft = ({ partition, offset }: { partition: number; offset: number }) =>
      partition !== 1 || offset >= startOffset
    const left = { ...remains, log: log.filter(isLeft), views: [], projections: [] }
    const place = { topic: 'eventstore.customer', partition: 1, partitions: 2, startOffset, atMs: 0 }
    const judged = withoutHead(
      { history: history.filter(({ kind }) => kind !== 'view'), remains: left },
      place,
      isInPartition,
    )
    return { judged, startOffset }
  }
  const brokenIn = ({ history, remains }: Case) => brokenPromises(history, { ...remains, markers: [] })

  test('its old content causes no violation, and the rest is judged', () => {
    let lost = 0
    fc.assert(
      fc.property(goodHistories, fc.nat(), (good, which) => {
        const found = cut(good, which)
        if (found === undefined) return
        const { judged } = found
        expect(brokenIn(judged)).toEqual([])
        const acked = acknowledged(judged).filter(({ streamId }) => isInPartition(streamId))
        const event = acked[which % Math.max(1, acked.length)]?.events[0]
        if (event === undefined) return
        lost++
        const log = judged.remains.log.filter(({ id }) => id !== event.id)
        expect(brokenIn({ ...judged, remains: { ...judged.remains, log } })).toContain(
          'acknowledged events are where the answer said',
        )
      }),
      { numRuns: 400 },
    )
    expect(lost).toBeGreaterThan(50)
  })

  test('streams are assigned to it as by clients', () => {
    const shortened = { topic: 'eventstore.customer', partition: 0, partitions: 4, startOffset: 5, atMs: 0 }
    const read = (streamId: string): Operation => ({
      ...{ op: 1, client: 1, calledAtMs: 1, endedAtMs: 2, kind: 'read', streamId, fromVersion: 1 },
      outcome: { is: 'answered', events: [] },
    })
    const streams = Array.from({ length: 40 }, (_, index) => `customer.${index}`)
    const { history } = decreed(
      { history: streams.map(read), remains: nothingRemains },
      { recreated: [], shortened: [shortened] },
    )
    expect(history.length).toBeGreaterThan(20)
    expect(history.length).toBeLessThan(40)
  })
})
