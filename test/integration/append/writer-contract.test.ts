import { randomUUID } from 'node:crypto'

import { AnnalsClient } from '#client'
import { streamIdOf } from '#domain'
import { eventStoreContract } from '#event-store/testing'

import { addContractState, indexSnapshots } from '../../support/index/index-snapshots.ts'
import { installation, startRealWriter } from '../../support/services/real-writer.ts'

async function startContractWriter() {
  const where = installation()
  addContractState(where)
  const writer = await startRealWriter(where)
  return {
    writer,
    given: {
      snapshots: indexSnapshots(writer),
      freshStreamId: () => streamIdOf(where.type, randomUUID()),
    },
    close: async () => {
      await writer.close()
      where.domain.remove()
    },
  }
}

eventStoreContract('the writer, over HTTP', async () => {
  const { writer, given, close } = await startContractWriter()
  const client = new AnnalsClient({ url: writer.url })
  return {
    ...given,
    store: client,
    teardown: async () => {
      await client.close()
      await close()
    },
  }
})

eventStoreContract('the writer, in process', async () => {
  const { writer, given, close } = await startContractWriter()
  return { ...given, store: writer.writer.api, teardown: close }
})
