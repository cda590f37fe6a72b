import { deadlineIn } from '#async'

import { beginTerm, type FencedPartition, servingEpochMax } from '../fence.ts'

/** Begins terms without writing their markers, until only `left` serving epochs remain for the producer id. Takes some seconds. */
export async function spendEpochs(fenced: FencedPartition, left: number): Promise<void> {
  const nextTerm = () => beginTerm(fenced, deadlineIn(30_000))
  while ((await nextTerm()).epoch < servingEpochMax - left);
}
