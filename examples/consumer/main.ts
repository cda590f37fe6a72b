import type { DecodedMessage } from '#consumer'

import type { CustomerEvent } from '../../schemas/customer/events.generated.ts'
import { followPurchases } from './follow-purchases.ts'

const { env } = process

function print(decoded: DecodedMessage<CustomerEvent>): void {
  switch (decoded.kind) {
    case 'event': {
      const { streamId, version, data } = decoded.event
      console.log(`${streamId} version ${version}: ${data.cds} CDs for ${data.amount} on ${data.date}`)
      break
    }
    case 'out-of-sequence':
      console.warn(
        `not counted: ${decoded.event.streamId} version ${decoded.event.version} after ${decoded.lastVersion}`,
      )
      break
    case 'foreign':
      console.warn(`skipped: ${decoded.reason.message}`)
      break
    case 'undecodable':
      // kafkajs retries the message, so no event is lost before the newer schemas are deployed here.
      throw decoded.reason
  }
}

const stop = await followPurchases(
  {
    brokers: (env['ANNALS_KAFKA_BROKERS'] ?? '127.0.0.1:9092').split(',').map((broker) => broker.trim()),
    registryUrl: env['ANNALS_REGISTRY_URL'] ?? 'http://127.0.0.1:8081/apis/ccompat/v7',
    groupId: env['GROUP'] ?? 'purchases',
  },
  print,
)
process.once('SIGINT', () => void stop())
