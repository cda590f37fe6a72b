import { randomBytes } from 'node:crypto'

import type { Config } from '#config'
import { type FenceProof, type KafkaCluster, proveFence, topicConfigs, Topics } from '#kafka'

import { fail, type DoctorFinding, findingsOf, ok, warn } from './finding.ts'

const broken =
  'Do not run writers on this cluster, and report the broker and its version (tested: Apache Kafka 3.9 and 4.1)'

/** Tests the fence and the recognition of duplicates on a temporary topic. */
export async function checkFence(
  cluster: KafkaCluster,
  { kafka }: Config,
): Promise<readonly DoctorFinding[]> {
  const name = `annals-doctor-${randomBytes(6).toString('hex')}`
  const topics = new Topics(cluster)
  const spec = { name, partitions: 1, replication: kafka.replication, configs: topicConfigs.events }
  const remedy =
    'Allow this user to create, write, read and delete topics, and to use transactional ids, named annals…'
  const findings = await findingsOf('fence', remedy, async () => {
    await topics.ensure([spec])
    return judgeFence(await proveFence(cluster, name))
  })
  return [...findings, ...(await leftover(topics, name))]
}

export function judgeFence({
  firstOffset,
  repeatedOffset,
  zombieRefusal,
  values,
}: FenceProof): DoctorFinding[] {
  const isOnce = firstOffset === repeatedOffset && values.filter((value) => value === 'first').length === 1
  const isFenced = zombieRefusal !== undefined && !values.includes('zombie')
  return [
    isFenced
      ? ok('fence', `a fenced owner is rejected (${zombieRefusal.kafkaCode ?? 'fenced'})`)
      : fail('fence', 'a fenced owner could still append: events could be duplicated', broken),
    isOnce
      ? ok(
          'duplicates',
          `a batch sent twice is stored once, and both answers have its offset (${firstOffset})`,
        )
      : fail(
          'duplicates',
          `a batch sent twice was stored at offsets ${firstOffset} and ${repeatedOffset}`,
          broken,
        ),
    values.includes('second')
      ? ok('take-over', 'the next owner appends')
      : fail('take-over', 'the event of the next owner is not in the log', broken),
  ]
}

async function leftover(topics: Topics, name: string): Promise<DoctorFinding[]> {
  try {
    await topics.delete(name)
    return []
  } catch (error) {
    return [warn('scratch topic', (error as Error).message, `Delete the topic ${name}`)]
  }
}
