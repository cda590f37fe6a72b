import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll } from 'vitest'

import { viewStoreContract } from '#projections/testing'
import { PostgresViewStore } from '#projections-postgres'

import { freePorts, type Postgres, startPostgres } from '../../scripts/stack/index.ts'

let folder: string
let server: Postgres

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'annals-postgres-'))
  const [port = 0] = await freePorts(1)
  server = await startPostgres({ port, folder, logFile: join(folder, 'log') })
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

viewStoreContract('PostgreSQL', ({ now }) => ({ store: PostgresViewStore.open({ url: server.url, now }) }))
