import { randomUUID } from 'node:crypto'

import { onTestFinished } from 'vitest'

import { type NewEvent, newEventId, partitionFor, type StreamId, streamIdOf } from '#domain'

import { type Installation, installation, type RealWriter, startRealWriter } from './real-writer.ts'
import { type RealProjector, startRealProjector } from './real-projector.ts'
import { startServiceProcess, type ServiceProcess } from './service-process.ts'

/** An installation whose files are removed at the end of the test. */
export function testInstallation(env?: Readonly<Record<string, string>>, typeCount?: number): Installation {
  const where = installation(env, typeCount)
  onTestFinished(() => where.domain.remove())
  return where
}

/** A writer in this process that is stopped at the end of the test; to stop it earlier is fine. */
export async function runningWriter(where: Installation): Promise<RealWriter> {
  const writer = await startRealWriter(where)
  let closed: Promise<void> | undefined
  const close = () => (closed ??= writer.close())
  onTestFinished(close)
  return { ...writer, close }
}

/** A writer in a process of its own that is gone at the end of the test. */
export async function runningProcess(
  where: Installation,
  env?: Readonly<Record<string, string>>,
): Promise<ServiceProcess> {
  const writer = await startServiceProcess('writer', where, env)
  onTestFinished(() => writer.stop())
  return writer
}

/** A projector in this process that is stopped at the end of the test; to stop it earlier is fine. */
export async function runningProjector(
  where: Installation,
  env?: Readonly<Record<string, string>>,
): Promise<RealProjector> {
  const projector = await startRealProjector(where, env)
  let closed: Promise<void> | undefined
  const close = () => (closed ??= projector.close())
  onTestFinished(close)
  return { ...projector, close }
}

/** A stream nobody has appended to. */
export const freshStream = (type: string): StreamId => streamIdOf(type, randomUUID())

/** Such a stream for each partition. */
export function streamPerPartition(type: string, partitions: number): StreamId[] {
  const found = new Map<number, StreamId>()
  while (found.size < partitions) {
    const streamId = freshStream(type)
    found.set(partitionFor(streamId, partitions), streamId)
  }
  return [...found.values()]
}

/** What a customer bought: an event that the domain of all installations knows. */
export const purchase = (cds = 1, more: Partial<NewEvent> = {}): NewEvent => ({
  id: newEventId(),
  type: 'PurchaseMade',
  data: { date: '1997-01-12', cds, amount: '12.50' },
  ...more,
})

export const purchases = (count: number): NewEvent[] =>
  Array.from({ length: count }, (_, index) => purchase(index + 1))
