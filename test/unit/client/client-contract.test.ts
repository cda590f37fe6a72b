import { AnnalsClient } from '#client'
import { eventStoreContract } from '#event-store/testing'

import { startHttpWriter } from '../../support/http/http-writer.ts'
import { InMemoryWriter } from '../../support/append/in-memory-writer.ts'

eventStoreContract('the SDK over HTTP to an in-memory writer', async () => {
  const api = new InMemoryWriter()
  const { app, url } = await startHttpWriter(api)
  const client = new AnnalsClient({ url })
  return {
    store: client,
    snapshots: api.store,
    teardown: async () => {
      await client.close()
      await app.close()
    },
  }
})
