import { Kafka, logLevel } from 'kafkajs'

import type { Installation } from '../services/real-writer.ts'
import { waitFor } from '../stack/stack.ts'

/** Uses an administrator's connection to the Kafka of an installation. */
async function asAdministrator<T>(
  { env }: Pick<Installation, 'env'>,
  use: (admin: ReturnType<Kafka['admin']>) => Promise<T>,
): Promise<T> {
  const brokers = (env['ANNALS_KAFKA_BROKERS'] ?? '').split(',')
  const { ANNALS_KAFKA_SASL_USERNAME: username, ANNALS_KAFKA_SASL_PASSWORD: password = '' } = env
  const login = username === undefined ? {} : { sasl: { mechanism: 'plain' as const, username, password } }
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING, ...login }).admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

/** Deletes a partition's records before an offset, like retention does. */
export const deleteHead = (
  where: Pick<Installation, 'env'>,
  topic: string,
  partition: number,
  offset: number,
): Promise<void> =>
  asAdministrator(where, async (admin) => {
    // The client knows leaders only of topics that it has been asked about.
    await admin.fetchTopicOffsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] })
  })

/** Deletes a topic and creates it again, empty, under the same name. */
export async function recreateTopic(
  where: Pick<Installation, 'env'>,
  topic: string,
  partitions: number,
): Promise<void> {
  await deleteTopic(where, topic)
  await asAdministrator(where, (admin) =>
    admin.createTopics({
      topics: [
        {
          topic,
          numPartitions: partitions,
          replicationFactor: 1,
          configEntries: [{ name: 'retention.ms', value: '-1' }],
        },
      ],
    }),
  )
}

/** Deletes a topic, and resolves when it is gone. */
export const deleteTopic = (where: Pick<Installation, 'env'>, topic: string): Promise<void> =>
  asAdministrator(where, async (admin) => {
    await admin.deleteTopics({ topics: [topic] })
    await waitFor('the topic to be gone', async () => !(await admin.listTopics()).includes(topic))
  })
