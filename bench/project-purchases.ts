import { readFileSync } from 'node:fs'

import { type NewEvent, type StreamId, streamIdOf } from '#domain'

import { type CdnowPurchase, readCdnow } from '../examples/customers/cdnow.ts'
import type { RunningWriter } from './contenders/core.ts'

/** One purchase and its customer's stream. */
export interface PurchaseAppend {
  readonly streamId: StreamId
  readonly event: NewEvent
}

const file = new URL('../examples/customers/cdnow.txt', import.meta.url)
const appendsInFlight = 512

/**
 * The purchases of the customers example, several times, each time by other customers. They are shuffled, because
 * adjacent purchases of one customer or one month would be easier to process. The purchases of one customer keep their
 * order. The result is always the same.
 */
export function mixedPurchases(copies: number): PurchaseAppend[] {
  const purchases = [...readCdnow(readFileSync(file, 'utf8'))]
  const all = Array.from({ length: copies }, (_, copy) =>
    purchases.map((each) => toAppend(each, copy)),
  ).flat()
  const left = Map.groupBy(all, ({ streamId }) => streamId)
  return shuffled(all.map(({ streamId }) => streamId)).flatMap(
    (streamId) => left.get(streamId)?.shift() ?? [],
  )
}

const toAppend = ({ customerId, date, cds, amount }: CdnowPurchase, copy: number): PurchaseAppend => ({
  streamId: streamIdOf('customer', `${copy}-${customerId}`),
  event: { type: 'PurchaseMade', data: { date, cds, amount } },
})

/** The Fisher-Yates shuffle with the generator of Park and Miller. */
function shuffled<T>(items: readonly T[]): T[] {
  const mixed = [...items]
  let random = 1
  for (let left = mixed.length; left > 1; left--) {
    random = (random * 48_271) % 0x7fffffff
    const one = random % left
    ;[mixed[left - 1], mixed[one]] = [mixed[one] as T, mixed[left - 1] as T]
  }
  return mixed
}

/** Appends each purchase separately, many concurrently. */
export async function appendPurchases(
  { service }: RunningWriter,
  purchases: readonly PurchaseAppend[],
): Promise<void> {
  const { local } = service.writer
  let next = 0
  const worker = async () => {
    for (let one = purchases[next++]; one !== undefined; one = purchases[next++]) {
      await local.append(one.streamId, [one.event])
    }
  }
  await Promise.all(Array.from({ length: appendsInFlight }, worker))
}
