import { expect } from 'vitest'

import type { AnnalsClient } from '#client'
import { fold, type StreamId } from '#domain'

import { customer } from '../../../examples/customers/customer.ts'
import type { CustomerEvent } from '../../../schemas/customer/events.generated.ts'
import { waitFor } from '../stack/stack.ts'

/** Waits until Redis has the stream's snapshot of this version. */
export const snapshotAt = (client: AnnalsClient, streamId: StreamId, version: number): Promise<unknown> =>
  waitFor(
    `${streamId} to have a snapshot at version ${version}`,
    async () => (await client.info(streamId)).snapshotVersion === version,
    { timeoutMs: 30_000 },
  )

/** A customer's state at a version, folded from its events. */
export async function folded(client: AnnalsClient, streamId: StreamId, toVersion: number): Promise<unknown> {
  const events = await Array.fromAsync(client.readAll(streamId))
  return fold(customer, events.slice(0, toVersion) as unknown as CustomerEvent[])
}

/** Expects that a load starts with the snapshot of this version, and that the snapshot equals the fold of the events. */
export async function expectSnapshot(
  client: AnnalsClient,
  streamId: StreamId,
  version: number,
): Promise<void> {
  const { snapshot } = await client.load(streamId, { stateVersion: 1 })
  expect(snapshot).toMatchObject({ streamId, version, stateVersion: 1 })
  expect(snapshot?.state).toEqual(await folded(client, streamId, version))
}
