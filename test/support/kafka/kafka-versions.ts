import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { freePorts, type KafkaBroker, startKafka, versions } from '../../../scripts/stack/index.ts'
import { testStack } from '../stack/stack.ts'

/** A running broker. `stop` releases what was started for it. */
export interface Broker {
  readonly address: string
  readonly stop: () => Promise<void>
}

/** Starts a broker of the oldest supported version. */
export async function oldestKafka(): Promise<Broker> {
  const folder = await mkdtemp(join(tmpdir(), 'annals-kafka-'))
  const [port = 0, controllerPort = 0] = await freePorts(2)
  const logFile = join(folder, 'kafka.log')
  const report = (): void => undefined
  const version = versions.kafkaOldest
  const broker: KafkaBroker = await startKafka({ port, controllerPort, folder, logFile, version, report })
  const stop = async (): Promise<void> => {
    await broker.stop()
    await rm(folder, { recursive: true, force: true })
  }
  return { address: broker.address, stop }
}

/** The broker of the tests' stack, which keeps running. */
export const stackKafka = (): Promise<Broker> =>
  Promise.resolve({ address: testStack().kafkaBrokers[0] ?? '', stop: () => Promise.resolve() })
