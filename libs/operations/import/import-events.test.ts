import { setImmediate as turn } from 'node:timers/promises'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { newEventId, streamIdOf } from '#domain'

import { EventImport, type ImportOptions } from './import-events.ts'
import { type EventLine, LineProblem } from './imported-line.ts'

const line = (number: number, stream: number): EventLine => ({
  line: number,
  streamId: streamIdOf('order', String(stream)),
  event: { id: newEventId(), type: 'OrderPlaced', data: null },
})
const linesOf = (streams: readonly number[]): EventLine[] =>
  streams.map((stream, index) => line(index + 1, stream))
const inTurn = async function* <T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item)
}

/** An import that records the appended lines by stream. Its appends take different numbers of turns. */
function noted(changes: Partial<ImportOptions> = {}) {
  const appended = new Map<string, number[]>()
  const acknowledged: number[] = []
  const underWay = new Set<string>()
  const run = new EventImport({
    batch: 3,
    append: async (streamId, lines) => {
      expect(underWay).not.toContain(streamId)
      underWay.add(streamId)
      for (let turns = streamId.length + (lines.length % 3); turns > 0; turns--) await turn()
      underWay.delete(streamId)
      appended.set(streamId, [...(appended.get(streamId) ?? []), ...lines.map((each) => each.line)])
      return { appended: lines.length, alreadyThere: 0 }
    },
    onProblem: () => true,
    onAcknowledged: (last) => Promise.resolve(void acknowledged.push(last)),
    onProgress: () => undefined,
    signal: new AbortController().signal,
    ...changes,
  })
  return { run, appended, acknowledged }
}

describe('an import', () => {
  test('keeps the order of each stream, has one append per stream in flight, and appends every line once', async () => {
    const streams = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(streams, async (all) => {
        const { run, appended } = noted()
        expect(await run.run(inTurn(linesOf(all)))).toMatchObject({ appended: all.length })
        for (const [streamId, lines] of appended) {
          expect(lines).toEqual(
            linesOf(all)
              .filter((each) => each.streamId === streamId)
              .map((each) => each.line),
          )
        }
      }),
      { numRuns: 30 },
    )
  })

  test('acknowledges lines in the order of the file, up to its end', async () => {
    const { run, acknowledged } = noted()
    await run.run(inTurn(linesOf([1, 2, 3, 1, 1, 1, 4])))
    expect(acknowledged).toEqual([3, 6, 7])
  })

  test('acknowledges nothing after a wrong line, and holds back its stream', async () => {
    const problems: LineProblem[] = []
    const { run, appended, acknowledged } = noted({ onProblem: (problem) => problems.push(problem) > 0 })
    const [a, b] = [streamIdOf('order', '1'), streamIdOf('order', '2')]
    const wrong = new LineProblem(4, 'wrong', { streamId: a })
    const lines = [line(1, 1), line(2, 2), line(3, 2), wrong, line(5, 1), line(6, 2)]
    expect(await run.run(inTurn(lines))).toEqual({ appended: 4, alreadyThere: 0, heldBack: 1 })
    expect([appended.get(a), appended.get(b)]).toEqual([[1], [2, 3, 6]])
    expect([acknowledged.every((last) => last < 4), problems]).toEqual([true, [wrong]])
  })

  test('ends at the last allowed problem', async () => {
    const { run, appended } = noted({ onProblem: () => false })
    await run.run(inTurn([line(1, 1), new LineProblem(2, 'wrong'), line(3, 1), line(4, 2)]))
    expect([...appended.values()]).toEqual([[1]])
  })

  test('finishes the appends in flight when it is interrupted', async () => {
    const interrupted = new AbortController()
    const { run, appended, acknowledged } = noted({ signal: interrupted.signal })
    const lines = async function* () {
      for (const each of linesOf(Array.from({ length: 100 }, (_, index) => index))) {
        if (each.line === 10) interrupted.abort()
        yield await Promise.resolve(each)
      }
    }
    const { appended: count } = await run.run(lines())
    expect(count).toBe([...appended.values()].flat().length)
    expect(acknowledged.at(-1)).toBe(count)
    expect(count).toBeLessThan(20)
  })

  test('that fails throws after all other appends have ended', async () => {
    let ended = 0
    const { run, acknowledged } = noted({
      append: async (streamId, lines) => {
        if (streamId === 'order.2') throw new Error('away')
        for (let turns = 0; turns < 5; turns++) await turn()
        ended += lines.length
        return { appended: lines.length, alreadyThere: 0 }
      },
    })
    await expect(run.run(inTurn(linesOf([1, 2, 3])))).rejects.toThrow('away')
    expect([ended, run.counts.appended, acknowledged]).toEqual([2, 2, []])
  })
})
