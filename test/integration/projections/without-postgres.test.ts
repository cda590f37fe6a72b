import { expect, onTestFinished, test } from 'vitest'

import { aggregateIdOf } from '#domain'
import { PlainSql } from '#projections-postgres/testing'

import type { Totals } from '../../../examples/customers/totals.ts'
import { testClient } from '../../support/services/closing.ts'
import { callerOf } from '../../support/http/http-call.ts'
import {
  type ServiceName,
  type ServiceProcess,
  startServiceProcess,
} from '../../support/services/service-process.ts'
import { waitFor } from '../../support/stack/stack.ts'
import { postgresForFile } from '../../support/projections/test-postgres.ts'
import {
  freshStream,
  purchases,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'

const postgres = await postgresForFile()

const timeoutMs = 20_000
const installed = () =>
  testInstallation({
    ANNALS_PROJECTOR_STORE: 'postgres',
    ANNALS_PROJECTOR_POSTGRES_URL: postgres.url,
    ANNALS_PROJECTOR_AFTER_TIMEOUT: '30s',
    ANNALS_PROJECTOR_SESSION_TIMEOUT: '6s',
  })

interface Ready {
  readonly status: number
  readonly body: {
    readonly healthy: boolean
    readonly checks: Readonly<Record<string, { readonly healthy: boolean; readonly error?: string }>>
  }
}

const readyOf = async (url: string): Promise<Ready> =>
  (await callerOf(url)('GET', '/health/ready')) as unknown as Ready

/** A service in a separate process. It starts, but need not be ready. */
async function service(name: ServiceName, where: ReturnType<typeof installed>): Promise<ServiceProcess> {
  const started = await startServiceProcess(name, where, {}, '/health/live')
  onTestFinished(() => started.stop())
  return started
}

test('a platform starts without PostgreSQL and serves appends and loads; views follow once it is up', async () => {
  const where = installed()
  await postgres.stop()
  const platform = await service('platform', where)
  await waitFor('a platform that accepts requests', async () => (await readyOf(platform.url)).status === 200)
  const ready = await readyOf(platform.url)
  expect(ready.body).toMatchObject({ healthy: false, takesRequests: true })
  expect(ready.body.checks['views']).toMatchObject({ healthy: false })
  expect(ready.body.checks['views']?.error).toMatch(/^PostgreSQL at 127\.0\.0\.1:\d+/)

  const client = testClient({ url: platform.url })
  const streamId = freshStream(where.type)
  const { position } = await client.append(streamId, purchases(3))
  expect(await client.state(streamId)).toMatchObject({ version: 3 })
  const { lifetime } = where.domain.projections
  const refused = await callerOf(platform.url)('GET', `/projections/${lifetime}/views/a`)
  expect(refused).toMatchObject({ status: 503 })

  await postgres.restart()
  await waitFor('a healthy platform', async () => (await readyOf(platform.url)).body.healthy)
  const view = await client
    .projection<Totals>(lifetime)
    .get(aggregateIdOf(streamId), { after: position, timeoutMs })
  expect(view?.view.purchases).toBe(3)
})

test('a projector starts without PostgreSQL, is not ready, and starts its projections once it is up', async () => {
  const where = installed()
  const writer = await runningWriter(where)
  const { position } = await testClient({ url: writer.url }).append(freshStream(where.type), purchases(2))
  await postgres.stop()
  const projector = await service('projector', where)
  const ready = await waitFor('a projector that reports what it lacks', async () => {
    const now = await readyOf(projector.url)
    return now.status === 503 && now
  })
  expect(ready.body.checks['views']?.error).toMatch(/^PostgreSQL at/)
  await postgres.restart()
  await waitFor('a ready projector', async () => (await readyOf(projector.url)).status === 200)
  const { monthly } = where.domain.projections
  const views = await testClient({ url: projector.url })
    .projection(monthly)
    .list({ after: position, timeoutMs })
  expect(views.views).toHaveLength(1)
})

test('a table dropped under a projector is reported in its log and health, and its views are rebuilt', async () => {
  const where = installed()
  const writer = await runningWriter(where)
  const { position } = await testClient({ url: writer.url }).append(freshStream(where.type), purchases(2))
  const projector = await service('projector', where)
  await waitFor('a ready projector', async () => (await readyOf(projector.url)).status === 200)
  const { monthly } = where.domain.projections
  const views = testClient({ url: projector.url }).projection(monthly)
  expect((await views.list({ after: position, timeoutMs })).views).toHaveLength(1)
  const before = await views.describe()

  await using sql = await PlainSql.open(postgres.url)
  const [row] = (await sql.rows(
    `SELECT views_table FROM annals._generations WHERE projection = '${monthly}'`,
  )) as { views_table: string }[]
  await sql.rows(`DROP TABLE ${row?.views_table ?? ''} CASCADE`)
  await waitFor('only another generation', async () => {
    const { generations, serving } = await views.describe()
    return generations.length === 1 && serving !== undefined && serving !== before.serving
  })
  expect((await views.list({ after: position, timeoutMs })).views).toHaveLength(1)
  expect(projector.logTail(50)).toContain('some views were dropped or emptied')
  expect(projector.logTail(50)).toMatch(/table \\+"annals\\+"\.\\+"_views_[0-9a-f]+\\+" is missing/)
  expect((await readyOf(projector.url)).status).toBe(200)
})

test('services survive a postmaster killed with all its sessions', async () => {
  const where = installed()
  const platform = await service('platform', where)
  await waitFor('a healthy platform', async () => (await readyOf(platform.url)).body.healthy)
  const client = testClient({ url: platform.url })
  let gone = false
  void platform.exited.then(() => (gone = true))
  for (let round = 0; round < 3; round += 1) {
    for (let n = 0; n < 20; n += 1) await client.append(freshStream(where.type), purchases(1))
    postgres.kill('SIGKILL')
    for (let n = 0; n < 20; n += 1) await client.append(freshStream(where.type), purchases(1))
    await postgres.stop()
    await postgres.restart()
    await waitFor('a healthy platform', async () => (await readyOf(platform.url)).body.healthy)
  }
  expect(gone).toBe(false)
}, 120_000)
