import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  type Case,
  casesOf,
  expected,
  inBatches,
  isRejected,
  statusOf,
  told,
  withoutNames,
} from '../../support/access/access-cases.ts'
import { rows, type Row } from '../../support/access/access-rows.ts'
import { AccessTable, type Answer, type Resource } from '../../support/access/access-table.ts'
import { differenceInTime } from '../../support/access/answer-times.ts'
import type { SplitService } from '../../support/access/split-installation.ts'
import type { Who } from '../../support/access/table-principals.ts'
import {
  categoryPage,
  forwardedRequests,
  generationsOf,
  listsFor,
  type Page,
  writers,
} from '../../support/access/table-readings.ts'
import { startAllRoutes } from '../../support/http/all-routes.ts'
import { purchase } from '../../support/services/writer-fixture.ts'
import { waitFor } from '../../support/stack/stack.ts'

let table: AccessTable
let euOnly: string[]
beforeAll(async () => {
  table = await AccessTable.start()
  const { type, domain } = table.where
  // Others are between the streams of the prefix, and before and after them.
  const ids = ['us-1', 'us-2', 'eu-1', 'us-3', 'eu-2', 'eu-3', 'us-4'].map((id) => `${type}.${id}`)
  for (const id of [...ids, ...ids, `${domain.types[1] ?? ''}.eu-1`]) await append(table.who.admin, id)
  euOnly = [...ids, ...ids].filter((id) => id.includes('.eu-')).toSorted()
}, 180_000)
afterAll(() => table.stop())

const appendRow: Row = {
  service: 'writer',
  route: 'POST /streams/:id/events',
  found: [201],
  body: () => ({ events: [purchase()] }),
}

function append(who: Who, streamId: string, to: SplitService = 'writer'): Promise<Answer> {
  const [type = '', id = ''] = streamId.split('.')
  return table.ask({ who, row: appendRow, target: { kind: 'stream', type, id, name: '' }, to })
}

test('the table has a row for every route of every service', async () => {
  const { routes, app } = await startAllRoutes()
  await app.close()
  const declared = routes.flatMap(({ method, url }) => [method].flat().map((each) => `${each} ${url}`))
  const listed = new Set(rows.map(({ route }) => route))
  expect(declared.filter((route) => !listed.has(route))).toEqual([])
  for (const service of ['writer', 'snapshotter', 'projector'] as const) {
    const { paths } = await table.read<{ paths: Record<string, object> }>('admin', service, '/openapi.json')
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    )
    const ofService = new Set(rows.filter((row) => row.service === service).map(({ route }) => route))
    expect([service, described.filter((route) => !ofService.has(route))]).toEqual([service, []])
    expect(described.length).toBeGreaterThan(5)
  }
})

describe('every principal', () => {
  let answered: readonly (readonly [Case, Answer])[]
  let generations: readonly string[]
  beforeAll(async () => {
    generations = await generationsOf(table)
    const cases = Object.keys(table.who).flatMap((name) => casesOf(table, name))
    const answerTo = async (each: Case) => [each, await table.ask(each)] as const
    // Most rejections without a valid credential are held for seconds, so all of them are awaited at a time.
    const held = cases.filter(({ who }) => who.may === undefined)
    const others = cases.filter(({ who }) => who.may !== undefined)
    answered = (await Promise.all([inBatches(held, 500, answerTo), inBatches(others, 40, answerTo)])).flat()
  }, 120_000)

  test('gets from every route and resource what the table says', () => {
    expect(answered.length).toBeGreaterThan(2_000)
    const wrong = answered.flatMap(([each, answer]) => {
      const [right, status] = [expected(each), statusOf(answer, each.row)]
      return right.includes(status) ? [] : [`${told(each)}: ${status} instead of ${right.join(' or ')}`]
    })
    expect(wrong).toEqual([])
  })

  test('that is rejected gets the same answer whether the resource exists or not', () => {
    const toMissing = new Map(
      answered.filter(([{ resource }]) => resource === 'missing').map((each) => [told(each[0]), each]),
    )
    let compared = 0
    for (const [each, answer] of answered) {
      const [twin, toTwin] = toMissing.get(told({ ...each, resource: 'missing' })) ?? []
      // Names of other kinds are of another length.
      const isAlike = each.resource === 'denied' || (each.resource === 'other' && each.row.on === 'stream')
      if (!isAlike || twin === undefined || toTwin === undefined) continue
      if (!isRejected(each) || !isRejected(twin)) continue
      compared++
      const [here, there] = [withoutNames(answer, each.target), withoutNames(toTwin, twin.target)]
      expect([told(each), here]).toEqual([told(each), there])
    }
    expect(compared).toBeGreaterThan(500)
  })

  test('that is rejected starts and removes no generation', async () => {
    expect(generations.length).toBeGreaterThan(0)
    expect(await generationsOf(table)).toEqual(generations)
  })

  test('gets the same answer from the writer that owns the stream and from the one that forwards', async () => {
    const forwarded = await forwardedRequests(table)
    const cases = Object.keys(table.who)
      .flatMap((name) => casesOf(table, name))
      .filter(({ who, row }) => who.may !== undefined && row.on === 'stream' && row.service === 'writer')
    const differing = await inBatches(cases, 20, async (each) => {
      const [here, there] = await Promise.all(writers.map((to) => table.ask({ ...each, to })))
      const isSame = here?.status === there?.status && here?.body === there?.body
      return isSame ? [] : [`${told(each)}: ${JSON.stringify(here)} and ${JSON.stringify(there)}`]
    })
    expect(differing.flat()).toEqual([])
    expect(await forwardedRequests(table)).toBeGreaterThan(forwarded)
  })
})

test('those without the right leave no event, at either writer and in either route', async () => {
  const { type } = table.where
  const [eu, us, none] = [`${type}.eu-w`, `${type}.us-1`, `${type}.us-n`]
  const before = await categoryPage(table, 'admin', 'limit=1000')
  const many: Row = {
    ...{ service: 'writer', route: 'POST /appends', found: [200] },
    body: () => ({ appends: [eu, us, none].map((streamId) => ({ streamId, events: [purchase()] })) }),
  }
  for (const [name, who] of Object.entries(table.who)) {
    if (who.may?.('append', table.target('stream', 'denied')) === true) continue
    const status = who.may === undefined ? 401 : 403
    const isEu = name === 'eu'
    for (const to of writers) {
      const answers = await Promise.all([
        ...[us, none].map((id) => append(who, id, to)),
        table.ask({ who, row: many, target: table.target('stream', 'denied'), to }),
      ])
      const [toUs, toNone, toMany] = answers as [Answer, Answer, Answer]
      expect([name, toUs.status, toNone.status]).toEqual([name, status, status])
      expect([name, statusesIn(toMany)]).toEqual([
        name,
        status === 401 ? [401] : [isEu ? 201 : 403, 403, 403],
      ])
    }
  }
  const after = await categoryPage(table, 'admin', 'limit=1000')
  const eventOf = ({ streamId, version }: Page['events'][number]) => `${streamId}@${version}`
  const known = new Set(before.events.map(eventOf))
  const added = after.events.filter((event) => !known.has(eventOf(event)))
  expect(after.events.length).toBe(before.events.length + added.length)
  const byEu = expect.objectContaining({ userId: 'eu' }) as object
  expect(added.map(({ streamId, version, metadata }) => [streamId, version, metadata])).toEqual([
    [eu, 1, byEu],
    [eu, 2, byEu],
  ])
  euOnly.push(eu, eu)
})

const statusesIn = ({ status, body }: Answer): number[] =>
  status === 200
    ? (JSON.parse(body) as { results: { status: number }[] }).results.map((each) => each.status)
    : [status]

describe('a principal that may read the streams of a prefix', () => {
  test('gets and counts only those in pages of the category', async () => {
    const all = await categoryPage(table, 'admin', 'limit=1000')
    expect(all.events.length).toBeGreaterThan(euOnly.length)
    for (const to of writers) {
      for (const limit of [1, 2, euOnly.length, 1000]) {
        const found: string[] = []
        let page = await categoryPage(table, 'eu', `limit=${limit}`, to)
        expect(page.events.length).toBe(Math.min(limit, euOnly.length))
        while (page.events.length > 0) {
          found.push(...page.events.map(({ streamId }) => streamId))
          page = await categoryPage(table, 'eu', `limit=${limit}&cursor=${page.cursor}`, to)
        }
        expect(found.toSorted()).toEqual(euOnly.toSorted())
      }
    }
  })

  test('gets only those when it names a partition and an offset', async () => {
    const found: string[] = []
    for (const partition of [0, 1, 2, 3]) {
      const { events } = await categoryPage(table, 'eu', `partition=${partition}&offset=0`)
      found.push(...events.map(({ streamId }) => streamId))
    }
    expect(found.toSorted()).toEqual(euOnly.toSorted())
  })

  test('gets only those from a subscription, also while others are appended', async () => {
    const { type } = table.where
    const row: Row = { service: 'writer', route: 'GET /categories/:type/subscribe', found: [200] }
    const { body } = await table.open({ who: table.who.eu, row, target: table.target('category', 'allowed') })
    for (const id of ['us-5', 'eu-5', 'us-1', 'eu-6']) await append(table.who.admin, `${type}.${id}`)
    euOnly.push(`${type}.eu-5`, `${type}.eu-6`)
    let text = ''
    const found = () => [...text.matchAll(/"streamId":"([^"]+)"/g)].map(([, id = '']) => id)
    for await (const chunk of body) {
      text += String(chunk)
      if (found().length >= euOnly.length) break
    }
    expect(found().toSorted()).toEqual(euOnly.toSorted())
    expect(text).not.toContain('.us-')
  })
})

test('lists name only what their reader may use', async () => {
  const { type, domain } = table.where
  const { lifetime, monthly } = domain.projections
  const both = [lifetime, monthly].toSorted()
  const types = domain.types.toSorted()
  const topics = types.map((each) => `eventstore.${each}`)
  /** Projections, aggregate types with snapshots, topics with owners. */
  const right: Readonly<Record<string, readonly (readonly string[])[]>> = {
    admin: [both, types, topics],
    operator: [both, types, topics],
    service: [both, [], topics],
    reader: [both, [], topics],
    appender: [[], [], [`eventstore.${type}`]],
    eu: [[], [], [`eventstore.${type}`]],
    viewer: [[lifetime], [], []],
    stater: [[], [], topics],
    nobody: [[], [], []],
    token: [both, [], topics],
    'token without roles': [[], [], []],
    certificate: [both, [], topics],
  }
  for (const [name, expectedLists] of Object.entries(right)) {
    const found = await listsFor(table, name)
    expect([name, found]).toEqual([name, expectedLists])
  }
  const admitted = Object.entries(table.who).flatMap(([name, { may }]) => (may === undefined ? [] : [name]))
  expect(Object.keys(right).toSorted()).toEqual(admitted.toSorted())
})

describe('the time of an answer', () => {
  const asking = (row: Row, who: Who, resource: Resource, to: SplitService) => () =>
    table.ask({ who, row, target: table.target(row.on ?? 'installation', resource), to })
  const isSeen = 0.1

  test('shows whether something was looked up', async () => {
    const row = rows.find(({ route }) => route === 'GET /streams/:id/state') as Row
    const { admin, eu } = table.who
    await waitFor('another time', async () => {
      const lookedUp = asking(row, admin, 'allowed', 'writer')
      return (await differenceInTime(lookedUp, asking(row, eu, 'denied', 'writer'))) > isSeen
    })
  })

  test('does not show to those without the right whether something exists', async () => {
    const reads = ['GET /categories/:type/events', 'GET /snapshots/:type/rebuild', 'GET /projections/:name']
    const timed = casesOf(table, 'eu').filter(
      ({ resource, row: { route, on } }) =>
        resource === 'denied' && (reads.includes(route) || (on === 'stream' && !route.startsWith('HEAD'))),
    )
    expect(timed.filter((each) => !isRejected(each)).map(told)).toEqual([])
    for (const { row, who } of timed) {
      for (const to of row.service === 'writer' ? writers : [row.service]) {
        const [denied, missing] = [asking(row, who, 'denied', to), asking(row, who, 'missing', to)]
        // Other work on the machine may disturb one measurement. What an answer gives away, it gives away each time.
        await waitFor(
          `the same time of ${row.route} at ${to}`,
          async () => (await differenceInTime(denied, missing)) < isSeen,
        )
      }
    }
  }, 120_000)
})
