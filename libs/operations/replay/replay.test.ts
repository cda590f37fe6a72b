import fc from 'fast-check'
import { expect, test } from 'vitest'

import type { StoredRecord } from '#kafka'

import { LineTarget, type LineOutput } from './line-target.ts'
import { unlimited } from './pace.ts'
import { replay, type ReplayOptions } from './replay.ts'
import { ReplayProgress } from './replay-progress.ts'

const topic = 'eventstore.order'

const record = (partition: number, offset: number): StoredRecord => ({
  ...{ offset, key: Buffer.from(`order.${partition}`), value: Buffer.from('x'), headers: [], timestampMs: 0 },
})

/** The gaps between the offsets of each partition. Markers cause gaps. */
const logs = fc.array(fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 30 }), {
  minLength: 1,
  maxLength: 4,
})

function recordsOf(partition: number, gaps: readonly number[]): StoredRecord[] {
  let offset = 0
  return gaps.map((gap) => record(partition, (offset += gap)))
}

function readerOf(log: readonly (readonly StoredRecord[])[], pieceSize: number): ReplayOptions['reader'] {
  return {
    async *read(_topic, partition, { from, until = Infinity }) {
      const wanted = (log[partition] ?? []).filter(({ offset }) => offset >= from && offset < until)
      for (let at = 0; at < wanted.length; at += pieceSize) {
        await Promise.resolve()
        yield wanted.slice(at, at + pieceSize)
      }
    },
  }
}

/** A file in memory that fails after some writes. */
class BreakingFile implements LineOutput {
  content: string
  #writes: number

  constructor(content: string, writes: number) {
    this.content = content
    this.#writes = writes
  }

  get bytes(): number {
    return this.content.length
  }

  write(lines: Buffer): Promise<void> {
    if (this.#writes-- === 0) return Promise.reject(new Error('broken'))
    this.content += lines.toString()
    return Promise.resolve()
  }

  sync(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

const targetOf = (output: LineOutput): LineTarget =>
  new LineTarget({
    topic,
    output,
    skipUnreadable: false,
    line: ({ position: { partition, offset } }) => `${partition}:${offset}`,
    format: {
      decodeEach: (name, partition, records) =>
        Promise.resolve(
          records.map(({ offset }) => ({ position: { topic: name, partition, offset } }) as never),
        ),
    },
  })

test('resumed from checkpoints after any failures and interruptions, it writes each event once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      logs,
      fc.integer({ min: 1, max: 7 }),
      fc.array(fc.record({ writes: fc.nat(6), interruptedAt: fc.nat(12) }), { maxLength: 6 }),
      fc.constantFrom(1, 3, Infinity),
      async (gaps, pieceSize, ends, burst) => {
        const log = gaps.map((each, partition) => recordsOf(partition, each))
        const ranges = log.map((own, partition) => ({
          partition,
          from: 0,
          until: (own.at(-1)?.offset ?? 0) + 2,
        }))
        let progress = ReplayProgress.of(ranges)
        let content = ''
        for (const { writes, interruptedAt } of [...ends, { writes: Infinity, interruptedAt: Infinity }]) {
          const file = new BreakingFile(content, writes)
          const stop = new AbortController()
          let looked = 0
          let kept = { content, progress }
          const end = await replay({
            ...{ topic, progress, reader: readerOf(log, pieceSize), target: targetOf(file) },
            ...{ parallel: 2, signal: stop.signal, isLast: () => false },
            pace: { burst, take: () => Promise.resolve() },
            matches: ({ offset }) => {
              if (looked++ >= interruptedAt) stop.abort()
              return offset % 3 !== 0
            },
            save: (fileBytes) => {
              const { partitions, leftOut } = progress
              const copy = structuredClone({ partitions: [...partitions], leftOut: [...leftOut] })
              kept = { content: file.content.slice(0, fileBytes), progress: ReplayProgress.from(copy) }
              return Promise.resolve()
            },
          })
          if (end.status === 'failed') expect(end.error).toEqual(new Error('broken'))
          ;({ content, progress } = kept)
        }
        const lines = content.split('\n').slice(0, -1)
        for (const [partition, own] of log.entries()) {
          const expected = own
            .filter(({ offset }) => offset % 3 !== 0)
            .map(({ offset }) => `${partition}:${offset}`)
          expect(lines.filter((line) => line.startsWith(`${partition}:`))).toEqual(expected)
        }
        expect(progress.isDone).toBe(true)
        expect(progress.sum('replayed')).toBe(lines.length)
        expect(progress.sum('read')).toBe(log.flat().length)
      },
    ),
    { numRuns: 300 },
  )
})

test('reading a partition ends as soon as no later record can match', async () => {
  const log = [
    recordsOf(
      0,
      Array.from({ length: 100 }, () => 1),
    ),
  ]
  const progress = ReplayProgress.of([{ partition: 0, from: 0, until: 101 }])
  const file = new BreakingFile('', Infinity)
  const end = await replay({
    ...{ topic, progress, reader: readerOf(log, 10), target: targetOf(file), pace: unlimited, parallel: 1 },
    ...{ matches: ({ offset }) => offset <= 15, isLast: ({ offset }) => offset >= 15 },
    signal: new AbortController().signal,
  })
  expect(end).toEqual({ status: 'done' })
  expect(progress.of(0)).toMatchObject({ next: 101, read: 20, replayed: 15 })
})
