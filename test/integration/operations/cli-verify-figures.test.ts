import { describe, expect, onTestFinished, test } from 'vitest'

import { aggregateIdOf } from '#domain'
import { PlainSql } from '#projections-postgres/testing'

import type { VerifyFinding } from '#operations'
import { cliHere } from '../../support/cli/cli-here.ts'
import { testClient } from '../../support/services/closing.ts'
import { openDirectBackends } from '../../support/append/past-the-writer.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import { postgresForFile } from '../../support/projections/test-postgres.ts'
import { caughtUp } from '../../support/projections/views-check.ts'
import {
  freshStream,
  purchases,
  runningProjector,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'

const postgres = await postgresForFile()

/** Changes figures in a view store directly, without the projector. */
interface Store {
  readonly env: () => Readonly<Record<string, string>>
  readonly setFigure: (where: Installation, generation: string, key: string, figure: number) => Promise<void>
  readonly dropFigure: (where: Installation, generation: string, key: string) => Promise<void>
}

async function sql(where: Installation, generation: string, change: string): Promise<void> {
  await using session = await PlainSql.open(postgres.url)
  const [row] = (await session.rows(
    `SELECT views_table FROM annals._generations WHERE projection = '${where.domain.projections.lifetime}' AND generation = '${generation}'`,
  )) as { views_table: string }[]
  await session.rows(`UPDATE ${row?.views_table ?? ''} ${change}`)
}

async function redis(where: Installation, generation: string, command: string, ...args: readonly string[]) {
  const direct = await openDirectBackends(where)
  const key = `{${direct.redis.keyPrefix}:p:${where.domain.projections.lifetime}}${generation}:index:spend`
  expect(await direct.redis.call('EXISTS', [key])).toBe(1)
  await direct.redis.call(command, [key, ...args])
}

const stores: readonly (readonly [string, Store])[] = [
  [
    'Redis',
    {
      env: () => ({}),
      setFigure: (where, id, key, figure) => redis(where, id, 'ZADD', String(figure), key),
      dropFigure: (where, id, key) => redis(where, id, 'ZREM', key),
    },
  ],
  [
    'PostgreSQL',
    {
      env: () => ({ ANNALS_PROJECTOR_STORE: 'postgres', ANNALS_PROJECTOR_POSTGRES_URL: postgres.url }),
      setFigure: (where, id, key, figure) => sql(where, id, `SET spend = ${figure} WHERE key = '${key}'`),
      dropFigure: (where, id, key) => sql(where, id, `SET spend = NULL WHERE key = '${key}'`),
    },
  ],
]

async function findings({
  env,
}: Installation): Promise<readonly (readonly [string, string | undefined, string])[]> {
  const end = await cliHere(env)(['verify', '--views', '--json'])
  expect(end.stderr).toBe('')
  const { findings } = end.json() as unknown as { readonly findings: readonly VerifyFinding[] }
  return findings.map(({ code, message, where: { key } }) => [code, key, message])
}

describe.each(stores)('with views in %s', (_, { env, setFigure, dropFigure }) => {
  test('a changed figure and a removed figure are found', async () => {
    const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '2', ...env() })
    const writer = await runningWriter(where)
    const projector = await runningProjector(where)
    const client = testClient({ url: writer.url })
    const streams = Array.from({ length: 3 }, () => freshStream(where.type))
    for (const streamId of streams) await client.append(streamId, purchases(2))
    const { lifetime } = where.domain.projections
    await caughtUp(projector.url, lifetime)
    const { serving = '' } = await projector.projector.api.describe(lifetime)
    onTestFinished(() => projector.close())
    expect(await findings(where)).toEqual([])

    const [changed = '', gone = ''] = streams.map(aggregateIdOf)
    await setFigure(where, serving, changed, 1_000_000)
    await dropFigure(where, serving, gone)
    expect([...(await findings(where))].sort()).toEqual(
      [
        ['figure-differs', changed, 'index spend has the value 1000000, expected 25 from its view'],
        ['figure-differs', gone, 'index spend has no value for it, expected 25 from its view'],
      ].sort(),
    )
  })
})
