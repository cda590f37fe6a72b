import { expect, test } from 'vitest'

import { KafkaCluster, Topics } from '#kafka'

import { failingKafka, kafkaCases } from '../../support/failing-servers/failing-kafka.ts'
import { expectNothingUncaught } from '../../support/failing-servers/uncaught.ts'
import { testStack, uniqueName } from '../../support/stack/stack.ts'

test('no error is uncaught and no call hangs, whichever answer of a broker fails', async () => {
  const [broker = ''] = testStack().kafkaBrokers
  const topic = uniqueName('eventstore.failing')
  const cluster = await KafkaCluster.connect({ brokers: [broker], clientId: 'failing' })
  await new Topics(cluster).ensure([{ name: topic, partitions: 1, replication: 1, configs: {} }])
  await cluster.close()
  const cases = kafkaCases(6)
  expect(cases.length).toBeGreaterThan(90)
  await expectNothingUncaught('kafka', await failingKafka(broker, cases), topic, uniqueName('group'))
}, 300_000)
