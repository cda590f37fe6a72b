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

/** A writer in this process that is stopped at the end of the test, or earlier. */
export const runningWriter = async (where: Installation): Promise<RealWriter> =>
  closedOnce(await startRealWriter(where))

/** A writer in a separate process that is stopped at the end of the test. */
export async function runningProcess(
  where: Installation,
  env?: Readonly<Record<string, string>>,
  probe?: '/health/ready' | '/health/live',
): Promise<ServiceProcess> {
  const writer = await startServiceProcess('writer', where, env, probe)
  onTestFinished(() => writer.stop())
  return writer
}

/** A projector in this process that is stopped at the end of the test, or earlier. */
export const runningProjector = async (
  where: Installation,
  env?: Readonly<Record<string, string>>,
): Promise<RealProjector> => closedOnce(await startRealProjector(where, env))

/** The service, closed at the end of the test. `close` may be called earlier, and works once. */
function closedOnce<Service extends { close(): Promise<void> }>(service: Service): Service {
  let closed: Promise<void> | undefined
  const close = () => (closed ??= service.close())
  onTestFinished(close)
  return { ...service, close }
}

/** A new stream id. */
export const freshStream = (type: string): StreamId => streamIdOf(type, randomUUID())

/** A new stream id for each partition. */
export function streamPerPartition(type: string, partitions: number): StreamId[] {
  const found = new Map<number, StreamId>()
  while (found.size < partitions) {
    const streamId = freshStream(type)
    found.set(partitionFor(streamId, partitions), streamId)
  }
  return [...found.values()]
}

/** A purchase event, which the domain of every installation has. */
export const purchase = (cds = 1, more: Partial<NewEvent> = {}): NewEvent => ({
  id: newEventId(),
  type: 'PurchaseMade',
  data: { date: '1997-01-12', cds, amount: '12.50' },
  ...more,
})

export const purchases = (count: number): NewEvent[] =>
  Array.from({ length: count }, (_, index) => purchase(index + 1))
