import { writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { deadLetterTopic, eventTopic } from '#domain'
import { LogReader, type StoredRecord } from '#kafka'
import { type Message, Kafka, logLevel } from 'kafkajs'

import type { Backends } from '#service'

import type { Installation } from './real-writer.ts'
import { uniqueName } from '../stack/stack.ts'
import { testInstallation } from './writer-fixture.ts'

/** Some reducers throw on purchases of this many CDs. */
export const poisonCds = 13

/** An installation with projections that fail on some events until they are fixed. */
export interface PoisonInstallation extends Installation {
  /** Projections by stream that stops on errors, by month that parks failing events, and by stream that applies every purchase. */
  readonly stopping: string
  readonly settingAside: string
  readonly unharmed: string
  /** Settings of a service with the fixed module: no reducer throws, and unreadable events are parked. */
  readonly mended: Readonly<Record<string, string>>
}

export function poisonInstallation(env: Readonly<Record<string, string>> = {}): PoisonInstallation {
  const where = testInstallation({
    ANNALS_KAFKA_PARTITIONS: '4',
    ANNALS_PROJECTOR_TRIES_MAX: '2',
    ...env,
  })
  const names = {
    stopping: uniqueName('stopping'),
    settingAside: uniqueName('setting-aside'),
    unharmed: uniqueName('unharmed'),
  }
  const write = (mended: boolean): string => {
    const path = join(dirname(where.domain.modulePath), `${uniqueName('domain')}.ts`)
    writeFileSync(path, moduleText(where.type, names, mended))
    return path
  }
  return {
    ...where,
    ...names,
    env: { ...where.env, ANNALS_DOMAIN: write(false) },
    mended: { ANNALS_DOMAIN: write(true) },
  }
}

type Names = Pick<PoisonInstallation, 'stopping' | 'settingAside' | 'unharmed'>

function moduleText(type: string, { stopping, settingAside, unharmed }: Names, mended: boolean): string {
  const stop = JSON.stringify(mended ? 'dead-letter' : 'stop')
  const sources = JSON.stringify([type])
  return [
    `import { customer } from '${moduleUrl('examples/customers/customer.ts')}'`,
    `import { customerLifetime, monthlyRevenue } from '${moduleUrl('examples/customers/projections.ts')}'`,
    'const { schema: _, ...lifetime } = customerLifetime',
    'const { schema: __, ...months } = monthlyRevenue',
    'const picky = (apply) => (view, event) => {',
    `  if (${!mended} && event.data.cds === ${poisonCds}) throw new Error('too many CDs')`,
    '  return apply(view, event)',
    '}',
    'const projections = [',
    `  { ...lifetime, name: '${stopping}', onError: ${stop}, apply: picky(lifetime.apply) },`,
    `  { ...months, name: '${settingAside}', onError: 'dead-letter', apply: picky(months.apply) },`,
    `  { ...lifetime, name: '${unharmed}', onError: ${stop} },`,
    `].map((projection) => ({ ...projection, sources: ${sources} }))`,
    `const aggregates = [{ ...customer, type: '${type}' }]`,
    'export default { aggregates, projections, upcasters: [] }',
    '',
  ].join('\n')
}

const moduleUrl = (path: string): string => pathToFileURL(resolve(path)).href

/** Writes records directly to the log with a plain Kafka client. */
export async function writePastWriter(
  { env, type }: Installation,
  partition: number,
  records: readonly Omit<Message, 'partition'>[],
): Promise<void> {
  const brokers = (env['ANNALS_KAFKA_BROKERS'] ?? '').split(',')
  const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  try {
    await producer.send({
      topic: eventTopic(type),
      messages: records.map((record) => ({ ...record, partition })),
    })
  } finally {
    await producer.disconnect()
  }
}

/** All records in the topic of a projection's dead letters. */
export async function deadLettersInTopic({ cluster }: Backends, name: string): Promise<StoredRecord[]> {
  const reader = new LogReader(cluster)
  const topic = deadLetterTopic(name)
  const letters: StoredRecord[] = []
  for (const partition of (await cluster.topic(topic)).partitions.keys()) {
    for await (const records of reader.read(topic, partition, { from: 0 })) letters.push(...records)
  }
  return letters
}
