import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import { Kafka, logLevel } from 'kafkajs'

import { createEventDecoder, type DecodedMessage, registryTimeout } from '#consumer'
import { eventTopic } from '#domain'
import { loadCatalog } from '#schemas'

import { customer } from '../customers/customer.ts'
import domain from '../customers/domain.ts'
import type { CustomerEvent } from '../../schemas/customer/events.generated.ts'

interface FollowOptions {
  readonly brokers: readonly string[]
  /** URL of the registry's Confluent API, e.g. `http://127.0.0.1:8081/apis/ccompat/v7`. */
  readonly registryUrl: string
  /** The consumer group, whose offsets Kafka stores. */
  readonly groupId: string
  /** Folders of event schemas; default `schemas`. */
  readonly schemaFolders?: readonly string[]
  /** Aggregate type of the customers; default `customer`. */
  readonly type?: string
}

/**
 * Consumes the purchases of all customers, starting with the first.
 * @param handle is called with each message in partition order. When it throws, kafkajs retries the message.
 * @returns a function that stops the consumer.
 */
export async function followPurchases(
  options: FollowOptions,
  handle: (decoded: DecodedMessage<CustomerEvent>) => void | Promise<void>,
): Promise<() => Promise<void>> {
  const { brokers, registryUrl, groupId, schemaFolders = ['schemas'], type = customer.type } = options
  const decoder = createEventDecoder({
    aggregates: [{ ...customer, type }],
    upcasters: domain.upcasters,
    catalog: loadCatalog(schemaFolders),
    registry: new SchemaRegistry({ host: registryUrl, middlewares: [registryTimeout(5_000)] }),
  })
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId })
  decoder.watch(consumer)
  await consumer.connect()
  await consumer.subscribe({ topic: eventTopic(type), fromBeginning: true })
  await consumer.run({ eachMessage: async (payload) => handle(await decoder.decode(payload)) })
  return () => consumer.disconnect()
}
