import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { AnnalsClient } from '#client'

import { freePorts, type Postgres, startPostgres } from '../../scripts/stack/index.ts'
import type { Totals } from '../../examples/customers/totals.ts'
import {
  allPurchases,
  expectedLifetimes,
  expectedMonths,
  importPurchases,
} from '../support/services/cdnow.ts'
import { Post } from '../support/services/crew.ts'
import { uniqueName, waitFor } from '../support/stack/stack.ts'
import { caughtUp, viewsOf } from '../support/projections/views-check.ts'
import { runningProcess, testInstallation } from '../support/services/writer-fixture.ts'
import { expectTrueSnapshots } from '../support/snapshots/snapshots-check.ts'

const killsAtEachPost = 4
const soon = {
  ANNALS_PROJECTOR_SESSION_TIMEOUT: '6s',
  ANNALS_SNAPSHOTTER_SESSION_TIMEOUT: '6s',
}

let folder: string
let postgres: Postgres

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'annals-postgres-'))
  const [port = 0] = await freePorts(1)
  postgres = await startPostgres({ port, folder, logFile: join(folder, 'log') })
})
afterAll(async () => {
  await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
})

test(
  'the whole example ends with the figures of its file, in Redis and in PostgreSQL, despite kills and moves',
  { timeout: 300_000 },
  async () => {
    const where = testInstallation(soon)
    const inPostgres = {
      ANNALS_PROJECTOR_STORE: 'postgres',
      ANNALS_PROJECTOR_POSTGRES_URL: postgres.url,
      ANNALS_PROJECTOR_GROUP: uniqueName('in-postgres'),
      // The other one owns the changelog: two stores would publish in turns.
      ANNALS_PROJECTOR_CHANGELOG: 'false',
    }
    const writer = await runningProcess(where)
    const projector = new Post('projector', where)
    const other = new Post('projector', where, inPostgres)
    const snapshotter = new Post('snapshotter', where, { ANNALS_SNAPSHOTTER_WRITER_URLS: writer.url })
    const posts = [projector, other, snapshotter]
    await Promise.all(posts.map((post) => post.fill()))

    const purchases = allPurchases()
    const client = new AnnalsClient({ url: writer.url, retries: { totalMsMax: 60_000 } })
    const kills = () => posts.reduce((sum, post) => sum + post.kills, 0)
    const killing = Promise.all([
      ...posts.map(async (post) => {
        while (post.kills < killsAtEachPost) await post.kill()
      }),
      ...[{}, inPostgres].map((env) => secondInstance(new Post('projector', where, env))),
    ])
    // The import continues with the kills, so that all of them affect it.
    const killsMin = killsAtEachPost * posts.length
    await importPurchases(client, where.type, purchases, (done) =>
      waitFor('enough kills', () => Promise.resolve(kills() >= ((killsMin - 1) * done) / purchases.length), {
        timeoutMs: 120_000,
      }).then(() => undefined),
    )
    await killing
    await client.close()
    expect(kills()).toBeGreaterThanOrEqual(10)

    const { lifetime, monthly } = where.domain.projections
    for (const { url } of [projector, other]) {
      await caughtUp(url, lifetime, 90_000)
      await caughtUp(url, monthly, 90_000)
      const lifetimes = await viewsOf(url, lifetime)
      expect(lifetimes.size).toBe(23_570)
      expect(lifetimes.get('07592')).toEqual({
        ...{ purchases: 201, cds: 917, spend: '13990.93', first: '1997-01-29', last: '1998-06-29' },
      } satisfies Totals)
      expect(Object.fromEntries(lifetimes)).toEqual(Object.fromEntries(expectedLifetimes(purchases)))
      const months = await viewsOf(url, monthly)
      expect(months.get('1997-03')).toEqual({ purchases: 11_598, cds: 26_159, revenue: '393155.27' })
      expect(Object.fromEntries(months)).toEqual(Object.fromEntries(expectedMonths(purchases)))
    }
    await expectTrueSnapshots(where, purchases)
  },
)

/** Takes over some partitions twice, and hands them back. */
async function secondInstance(post: Post): Promise<void> {
  for (let round = 0; round < 2; round++) {
    await post.fill()
    await post.leave()
  }
}
