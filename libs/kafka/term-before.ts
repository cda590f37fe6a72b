import type { StoredBatch } from './record-batch.ts'
import { type Term, TermRule } from './terms.ts'

/** Reads batches of one partition. */
interface BatchSource {
  startOffset(): Promise<number>
  /** Some batches, starting with the one that contains the offset. */
  batchesFrom(offset: number): Promise<readonly StoredBatch[]>
}

const windowFirst = 1_000
const windowGrowth = 8

/**
 * Searches backwards for the last marker before an offset, in growing windows. Owners write a marker at each take-over, and
 * then at least every hour.
 * @returns undefined if no marker precedes the offset.
 */
export async function termBefore(source: BatchSource, offset: number): Promise<Term | undefined> {
  const start = await source.startOffset()
  let until = offset
  for (let window = windowFirst; until > start; window *= windowGrowth) {
    const from = Math.max(start, until - window)
    const term = await lastTermIn(source, from, until)
    if (term !== undefined) return term
    until = from
  }
  return undefined
}

async function lastTermIn(source: BatchSource, from: number, until: number): Promise<Term | undefined> {
  const rule = new TermRule(undefined)
  for (let at = from; at < until;) {
    const batches = await source.batchesFrom(at)
    const last = batches.at(-1)
    if (last === undefined) break
    rule.sift(batches.filter(({ baseOffset, lastOffset }) => baseOffset >= from && lastOffset < until))
    at = last.lastOffset + 1
  }
  return rule.term
}
