import { randomUUID } from 'node:crypto'

import { AnnalsClient } from '#client'
import { streamIdOf } from '#domain'
import { eventStoreContract } from '#event-store/testing'

import { installation, startRealWriter } from '../support/real-writer.ts'

eventStoreContract('the writer, over HTTP', async () => {
  const where = installation()
  const writer = await startRealWriter(where)
  const client = new AnnalsClient({ url: writer.url })
  return {
    store: client,
    freshStreamId: () => streamIdOf(where.type, randomUUID()),
    teardown: async () => {
      await client.close()
      await writer.close()
      where.domain.remove()
    },
  }
})

eventStoreContract('the writer, in process', async () => {
  const where = installation()
  const writer = await startRealWriter(where)
  return {
    store: writer.writer.api,
    freshStreamId: () => streamIdOf(where.type, randomUUID()),
    teardown: async () => {
      await writer.close()
      where.domain.remove()
    },
  }
})
