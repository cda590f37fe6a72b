import { KafkaCluster } from '#kafka'

import type { BenchStack } from '../bench-stack.ts'
import type { Closing } from '../closing.ts'
import { type Load, loadOf } from '../contenders/contender.ts'
import { startCore } from '../contenders/core.ts'
import { startEmmett } from '../contenders/emmett.ts'
import { startHttp } from '../contenders/http.ts'
import { startLimit } from '../contenders/limit.ts'
import { startProducer } from '../contenders/producer.ts'
import { startUmaDbClient } from '../contenders/umadb/umadb.ts'
import type { ContenderName } from './contender-names.ts'
import { startCores, startHttps } from './several-writers.ts'

export interface LoadParts {
  readonly stack: BenchStack
  readonly writers: number
  readonly closing: Closing
}

/** Starts contenders, in their order. */
export async function startLoads(
  names: readonly ContenderName[],
  { stack, writers, closing }: LoadParts,
): Promise<ReadonlyMap<ContenderName, Load>> {
  const cluster = await KafkaCluster.connect({ brokers: stack.kafkaBrokers, clientId: 'bench' })
  closing(() => cluster.close())
  const loads = new Map<ContenderName, Load>()
  for (const name of names) {
    const load = await startLoad(name, stack, writers, cluster)
    closing(() => load.close())
    loads.set(name, load)
  }
  return loads
}

async function startLoad(
  name: ContenderName,
  stack: BenchStack,
  writers: number,
  cluster: KafkaCluster,
): Promise<Load> {
  const several = writers > 1
  switch (name) {
    case 'core':
      return several ? startCores(stack, writers) : loadOf(await startCore(stack.envOf('bench-core')))
    case 'http':
      return several ? startHttps(stack, writers) : loadOf(await startHttp(stack.envOf('bench-http')))
    case 'emmett':
      return loadOf(await startEmmett(await stack.startPostgres()))
    case 'umadb':
      return loadOf(await startUmaDbClient(await stack.startUmaDb()))
    case 'producer':
      return loadOf(await startProducer(cluster, stack.kafkaBrokers, stack.replication))
    case 'limit':
      return loadOf(await startLimit(cluster, stack.replication))
  }
}
