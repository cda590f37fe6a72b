import { afterAll } from 'vitest'

import { AnnalsClient } from '#client'

import { type Installation, installation, type RealWriter, startRealWriter } from './real-writer.ts'

/** An installation with a running writer, and a client of that writer. */
export interface WriterForFile {
  readonly where: Installation
  readonly writer: RealWriter
  readonly client: AnnalsClient
}

/** Starts a writer in this process for all tests of a file, and stops it after them. Await it at the top level of the file. */
export async function writerForFile(env: Readonly<Record<string, string>>): Promise<WriterForFile> {
  const where = installation(env)
  const writer = await startRealWriter(where)
  const client = new AnnalsClient({ url: writer.url })
  afterAll(async () => {
    await client.close()
    await writer.close()
    where.domain.remove()
  })
  return { where, writer, client }
}
