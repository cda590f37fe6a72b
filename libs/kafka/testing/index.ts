import { deadlineIn } from '#async'

import { beginTerm, type FencedPartition, servingEpochMax } from '../fence.ts'

/** Begins terms that never come to their markers, until `left` more can serve before the epochs of the producer id end. Takes some seconds. */
export async function spendEpochs(fenced: FencedPartition, left: number): Promise<void> {
  const nextTerm = () => beginTerm(fenced, deadlineIn(30_000))
  while ((await nextTerm()).epoch < servingEpochMax - left);
}
