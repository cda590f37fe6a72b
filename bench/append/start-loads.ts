import { KafkaCluster } from '#kafka'

import type { BenchStack } from '../bench-stack.ts'
import type { Closing } from '../closing.ts'
import { type Load, loadOf } from '../contenders/contender.ts'
import { startCore } from '../contenders/core.ts'
import { startEmmett } from '../contenders/emmett.ts'
import { startHttp } from '../contenders/http.ts'
import { startLimit } from '../contenders/limit.ts'
import { startProducer } from '../contenders/producer.ts'
import { startUmaDbCallers } from '../contenders/umadb/callers.ts'
import type { ContenderName } from './contender-names.ts'
import { startCores, startHttps } from './several-writers.ts'

export interface LoadParts {
  readonly stack: BenchStack
  readonly writers: number
  readonly closing: Closing
  readonly say: (line: string) => void
}

/** Starts contenders, in their order. */
export async function startLoads(
  names: readonly ContenderName[],
  parts: LoadParts,
): Promise<ReadonlyMap<ContenderName, Load>> {
  const { stack, closing } = parts
  const cluster = await KafkaCluster.connect({ brokers: stack.kafkaBrokers, clientId: 'bench' })
  closing(() => cluster.close())
  const loads = new Map<ContenderName, Load>()
  for (const name of names) {
    const load = await startLoad(name, parts, cluster)
    closing(() => load.close())
    loads.set(name, load)
  }
  return loads
}

async function startLoad(
  name: ContenderName,
  { stack, writers, say }: LoadParts,
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
      return startUmaDbCallers(await stack.startUmaDb(), say)
    case 'producer':
      return loadOf(await startProducer(cluster, stack.kafkaBrokers, stack.replication))
    case 'limit':
      return loadOf(await startLimit(cluster, stack.replication))
  }
}
