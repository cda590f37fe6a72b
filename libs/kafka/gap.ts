import { partitionKey } from '#domain'

import { untilAnswered } from './attempts.ts'
import type { FencedPartition } from './fence.ts'
import { LogError } from './kafka-errors.ts'
import { fetchBatches } from './requests.ts'
import { isSameTerm, type Stray, type Term, TermRule } from './terms.ts'

const gapFetchBytes = 1 << 18
const gapWaitMs = 500
const gapLane = 'gap'

/**
 * Inspects the records between the end of the log that the owner expected and the batch that it has just appended. Markers of
 * its own may be there, and data of other producers, which does not count during this term. Any other marker ended the term.
 * @param from the expected end of the log; `until` the first offset of the owner's batch.
 * @returns the data of other producers, for reporting.
 * @throws LogError `unknown` when the term had ended: the batch is in the log, but may not count.
 */
export async function inspectGap(
  fenced: FencedPartition,
  term: Term,
  { from, until }: { readonly from: number; readonly until: number },
  deadline: number,
): Promise<readonly Stray[]> {
  const name = partitionKey(fenced)
  const rule = new TermRule(term)
  const strays: Stray[] = []
  for (let offset = from; offset < until;) {
    if (performance.now() >= deadline)
      throw new LogError('unavailable', `${name} cannot be read up to ${until}`)
    const batches = await fetchGap(fenced, offset, deadline)
    const inGap = batches.filter(({ baseOffset }) => baseOffset < until)
    const sifted = rule.sift(inGap)
    const other = sifted.starts[0]
    if (other !== undefined || sifted.batches.length > 0 || !isSameTerm(rule.term, term)) {
      throw new LogError(
        'unknown',
        `${name}: between offsets ${from} and ${until} another owner has written ` +
          `(${other === undefined ? 'under this term' : `a marker of producer ${other.producerId}, epoch ${other.epoch}, at ${other.offset}`}); ` +
          'take over again and read the log to find out what counts',
        { mayBeAppended: true },
      )
    }
    strays.push(...sifted.strays)
    offset = (batches.at(-1)?.lastOffset ?? offset - 1) + 1
  }
  return strays
}

async function fetchGap(fenced: FencedPartition, offset: number, deadline: number) {
  const { cluster, topic, partition } = fenced
  const what = `reading offset ${offset} of ${partitionKey(fenced)} to check an append`
  const fetched = await untilAnswered({ what, deadline, changes: false }, () =>
    cluster.onLeader(topic, partition, gapLane, ({ connection, topicId }) =>
      fetchBatches(connection, { topicId, partition, offset, bytesMax: gapFetchBytes, waitMsMax: gapWaitMs }),
    ),
  )
  return fetched.batches
}
