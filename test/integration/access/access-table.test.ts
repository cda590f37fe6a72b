import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Agent, request } from 'undici'

import type { AccessDocument, Action, KeyEntry, Role } from '#access'
import { newApiKey } from '#authentication'
import { TokenIssuer } from '#authentication/testing'
import { AnnalsClient } from '#client'

import { type Kind, type Row, rows } from '../../support/access/access-rows.ts'
import {
  agentWith,
  type SplitInstallation,
  startSplitInstallation,
} from '../../support/access/split-installation.ts'
import { startAllRoutes } from '../../support/http/all-routes.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import { purchase } from '../../support/services/writer-fixture.ts'
import { waitFor } from '../../support/stack/stack.ts'

/** What a request aims at. */
interface Target {
  readonly kind: Kind
  readonly type: string
  readonly id: string
  readonly name: string
}

interface Who {
  readonly headers: Readonly<Record<string, string>>
  readonly agent?: Agent
  /** What it may do: by hand, from the roles that it was given below. Undefined: its credential is not valid. */
  readonly may?: (action: Action, target: Target) => boolean
}

const past = '2020-01-01T00:00:00.000Z'
const made = (name: string, roles: readonly string[], more: Partial<KeyEntry> = {}) => {
  const { entry, key } = newApiKey({ name, roles })
  return { entry: { ...entry, ...more }, headers: { authorization: `Bearer ${key}` } }
}
const keys = {
  admin: made('admin', ['admin']),
  operator: made('operator', ['operator']),
  service: made('service', ['service']),
  reader: made('reader', ['reader']),
  appender: made('appender', ['appender']),
  eu: made('eu', ['eu']),
  viewer: made('viewer', ['viewer']),
  stater: made('stater', ['stater']),
  nobody: made('nobody', []),
  revoked: made('revoked', ['admin'], { revokedAt: past }),
  expired: made('expired', ['admin'], { expiresAt: past }),
}

const documentOf = ({ type, domain }: Installation): AccessDocument => {
  const role = (actions: readonly Action[], on: string): Role => ({ rules: [{ actions, on: [on] }] })
  return {
    roles: {
      appender: role(['append'], `${type}.*`),
      eu: role(['append', 'read', 'subscribe'], `${type}.eu-*`),
      viewer: role(['view'], `projection:${domain.projections.lifetime}`),
      stater: role(['state'], '*.*'),
    },
    keys: Object.values(keys).map(({ entry }) => entry),
    certificates: [{ commonName: 'gateway', name: 'gateway', roles: ['service'] }],
  }
}

const ofStreams: readonly Kind[] = ['stream', 'category', 'type']
const asReader = (action: Action, { kind }: Target): boolean =>
  (['read', 'subscribe', 'state'].includes(action) && ofStreams.includes(kind)) ||
  (action === 'view' && kind === 'projection')
const asService = (action: Action, target: Target): boolean =>
  asReader(action, target) || (action === 'append' && target.kind === 'stream')

let issuer: TokenIssuer
let installed: SplitInstallation
let who: Readonly<Record<string, Who>>

async function principals({ where, authority }: SplitInstallation): Promise<typeof who> {
  const { type, domain } = where
  const token = await issuer.token({ sub: 'ada', roles: ['reader'] }, Date.now())
  const unsigned = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url')
  const forged = `${unsigned}.${token.split('.')[1] ?? ''}.`
  return {
    admin: { ...keys.admin, may: () => true },
    operator: { ...keys.operator, may: (action) => action === 'operate' },
    service: { ...keys.service, may: asService },
    reader: { ...keys.reader, may: asReader },
    appender: {
      ...keys.appender,
      may: (action, target) => action === 'append' && target.kind === 'stream' && target.type === type,
    },
    eu: {
      ...keys.eu,
      may: (action, target) =>
        target.type === type &&
        ((target.kind === 'category' && ['read', 'subscribe'].includes(action)) ||
          (target.kind === 'stream' && ['append', 'read'].includes(action) && target.id.startsWith('eu-'))),
    },
    viewer: {
      ...keys.viewer,
      may: (action, { kind, name }) =>
        action === 'view' && kind === 'projection' && name === domain.projections.lifetime,
    },
    stater: { ...keys.stater, may: (action, { kind }) => action === 'state' && ofStreams.includes(kind) },
    token: { headers: { authorization: `Bearer ${token}` }, may: asReader },
    certificate: {
      headers: {},
      agent: agentWith(authority, await authority.client('gateway')),
      may: asService,
    },
    nobody: { ...keys.nobody, may: () => false },
    revoked: keys.revoked,
    expired: keys.expired,
    stranger: { headers: {} },
    forger: { headers: { authorization: `Bearer ${forged}` } },
    peer: { headers: { 'annals-peer': forged, 'annals-forwarded': '1' } },
  }
}

const streams = { allowed: 'eu-1', denied: 'us-1', other: 'eu-1', missing: 'us-none' } as const
type Resource = keyof typeof streams
const resources = Object.keys(streams) as readonly Resource[]

function targetOf(kind: Kind, resource: Resource): Target {
  const { type, domain } = installed.where
  const [, otherType = ''] = domain.types
  const { lifetime, monthly } = domain.projections
  const isMissing = resource === 'missing'
  return {
    kind,
    type: resource === 'other' ? otherType : isMissing && kind !== 'stream' ? 'no-such-type' : type,
    id: streams[resource],
    name: isMissing ? 'no-such-projection' : resource === 'allowed' ? lifetime : monthly,
  }
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

async function ask(
  { headers, agent = installed.agent }: Who,
  { service, route, body, isStream = false }: Row,
  target: Target,
  url = installed.urls[service],
): Promise<Answer> {
  const [method = 'GET', template = ''] = route.split(' ')
  const id = template.includes('/generations/') ? 'none' : `${target.type}.${target.id}`
  const path = template
    .replace(':type', target.type)
    .replace(':name', target.name)
    .replace(':key', 'c-1')
    .replace(':id', id)
  const response = await request(url + path, {
    method: method as 'GET',
    dispatcher: agent,
    headers: { ...headers, ...(method !== 'GET' && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const isOpen = isStream && response.statusCode === 200
  if (isOpen) response.body.on('error', () => undefined).destroy()
  return {
    status: response.statusCode,
    headers: response.headers,
    body: isOpen ? '' : await response.body.text(),
  }
}

/** What the table says: `let in`, or the status of the rejection. */
function expected({ may }: Who, hasCredential: boolean, row: Row, target: Target): 'let in' | 401 | 403 {
  if (row.isPublic === true && !hasCredential) return 'let in'
  if (may === undefined) return 401
  if (row.isPublic === true || row.needs === undefined) return 'let in'
  return row.needs.some((action) => may(action, target)) ? 'let in' : 403
}

const outcome = ({ status }: Answer): 'let in' | 401 | 403 =>
  status === 401 || status === 403 ? status : 'let in'

const clientOf = (name: keyof typeof keys, url = installed.urls.writer): AnnalsClient =>
  new AnnalsClient({ url, direct: false, headers: keys[name].headers, tls: { ca: installed.authority.cert } })

beforeAll(async () => {
  issuer = await TokenIssuer.start()
  installed = await startSplitInstallation(issuer, documentOf)
  who = await principals(installed)
  const { type, domain } = installed.where
  const client = clientOf('admin')
  const ids = [
    `${type}.eu-1`,
    `${type}.us-1`,
    `${type}.us-2`,
    `${type}.eu-2`,
    `${domain.types[1] ?? ''}.eu-1`,
  ]
  for (const id of ids) await client.append(id, [purchase()])
  await client.close()
}, 120_000)

afterAll(async () => {
  await who['certificate']?.agent?.destroy()
  await installed.close()
  await issuer.stop()
})

test('the table has a row for every route of every service', async () => {
  const { routes, app } = await startAllRoutes()
  await app.close()
  const declared = routes.flatMap(({ method, url }) =>
    [method].flat().flatMap((each) => (each === 'HEAD' ? [] : [`${each} ${url}`])),
  )
  const listed = new Set(rows.map(({ route }) => route))
  expect(declared.filter((route) => !listed.has(route))).toEqual([])
  for (const [service, url] of Object.entries(installed.urls)) {
    const { body } = await request(`${url}/openapi.json`, { dispatcher: installed.agent })
    const { paths } = (await body.json()) as { paths: Record<string, Record<string, unknown>> }
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    )
    expect([service, described.filter((route) => !listed.has(route))]).toEqual([service, []])
  }
})

describe('every principal', () => {
  test('gets from every route and resource what the table says', async () => {
    const cases = Object.entries(who).flatMap(([name, principal]) =>
      rows.flatMap((row) =>
        (row.on === undefined || row.on === 'installation' ? resources.slice(0, 1) : resources).map(
          (resource) => ({
            name,
            principal,
            row,
            resource,
            target: targetOf(row.on ?? 'installation', resource),
          }),
        ),
      ),
    )
    expect(cases.length).toBeGreaterThan(1_000)
    const answers = await inBatches(cases, 60, ({ principal, row, target }) => ask(principal, row, target))
    const wrong = cases.flatMap(({ name, principal, row, resource, target }, index) => {
      const answer = answers[index] as Answer
      const hasCredential = Object.keys(principal.headers).length > 0 || principal.agent !== undefined
      const want = expected(principal, hasCredential, row, target)
      const isRight = outcome(answer) === want && answer.status < 500
      return isRight ? [] : [`${name} ${row.route} ${resource}: ${answer.status}, expected ${want}`]
    })
    expect(wrong).toEqual([])
  }, 180_000)

  test('gets the same answer for a denied stream as for one that does not exist', async () => {
    const ofStream = rows.filter(({ on }) => on === 'stream')
    for (const [name, principal] of Object.entries(who)) {
      for (const row of ofStream) {
        const [denied, missing] = [targetOf('stream', 'denied'), targetOf('stream', 'missing')]
        if (expected(principal, true, row, denied) !== 403) continue
        const answers = [await ask(principal, row, denied), await ask(principal, row, missing)]
        const [ofDenied, ofMissing] = answers.map(({ status, headers, body }) => ({
          ...{ status, headers: { ...headers, date: '', 'content-length': '' } },
          body: body.replaceAll('us-none', 'us-1'),
        }))
        expect([name, row.route, ofMissing]).toEqual([name, row.route, ofDenied])
      }
    }
  })
})

async function inBatches<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let index = next++; index < items.length; index = next++) {
        results[index] = await work(items[index] as Item)
      }
    }),
  )
  return results
}

test('the other writer, which forwards, decides alike', async () => {
  const ofStream = rows.filter(({ on, service }) => on === 'stream' && service === 'writer')
  for (const name of ['admin', 'eu', 'token', 'certificate', 'nobody', 'revoked']) {
    const principal = who[name] as Who
    for (const row of ofStream) {
      for (const resource of resources) {
        const target = targetOf('stream', resource)
        const [here, there] = await Promise.all([
          ask(principal, row, target),
          ask(principal, row, target, installed.urls.otherWriter),
        ])
        expect([name, row.route, resource, there.status]).toEqual([name, row.route, resource, here.status])
      }
    }
  }
})

describe('somebody without the right', () => {
  test('leaves no event anywhere', async () => {
    const { type } = installed.where
    const admin = clientOf('admin')
    const versionOf = async () => (await admin.info(`${type}.us-1`)).version
    const before = await versionOf()
    const append = {
      service: 'writer',
      route: 'POST /streams/:id/events',
      body: { events: [purchase()] },
    } as const
    const many = {
      service: 'writer',
      route: 'POST /appends',
      body: { appends: [{ streamId: `${type}.us-1`, events: [purchase()] }] },
    } as const
    const target = targetOf('stream', 'denied')
    for (const name of [
      'operator',
      'reader',
      'eu',
      'viewer',
      'stater',
      'token',
      'nobody',
      'revoked',
      'peer',
    ]) {
      expect([name, [401, 403].includes((await ask(who[name] as Who, append, target)).status)]).toEqual([
        name,
        true,
      ])
      const { status, body } = await ask(who[name] as Who, many, target)
      expect([name, status === 401 || body.includes('"status":403')]).toEqual([name, true])
    }
    expect(await versionOf()).toBe(before)
    await admin.close()
  })

  test('sees and counts only what it may read', async () => {
    const { type, domain } = installed.where
    const json = async (name: string, row: Row) =>
      JSON.parse((await ask(who[name] as Who, row, targetOf('category', 'allowed'))).body) as Record<
        string,
        object[]
      >
    const category: Row = { service: 'writer', route: 'GET /categories/:type/events?limit=2' }
    const { events = [] } = await json('eu', category)
    expect(events.map((event) => (event as { streamId: string }).streamId).toSorted()).toEqual([
      `${type}.eu-1`,
      `${type}.eu-2`,
    ])
    const listOf = async (name: string, service: Row['service'], route: string, field: string) =>
      (await json(name, { service, route: `GET /${route}` }))[field] ?? []
    const projections = await listOf('viewer', 'projector', 'projections', 'projections')
    expect(projections).toMatchObject([{ name: domain.projections.lifetime }])
    for (const name of ['nobody', 'appender', 'eu', 'stater']) {
      expect(await listOf(name, 'projector', 'projections', 'projections')).toEqual([])
      expect(await listOf(name, 'snapshotter', 'snapshots', 'types')).toEqual([])
    }
    expect(await listOf('nobody', 'writer', 'owners', 'partitions')).toEqual([])
    const owners = (await listOf('eu', 'writer', 'owners', 'partitions')) as readonly { topic: string }[]
    expect(new Set(owners.map(({ topic }) => topic))).toEqual(new Set([`eventstore.${type}`]))
  })

  test('learns nothing by the time that an answer takes', async () => {
    const row = rows.find(({ route }) => route === 'GET /streams/:id') as Row
    const [exists, missing] = [targetOf('stream', 'denied'), targetOf('stream', 'missing')]
    const measured = async () => {
      const times: Record<'exists' | 'missing', number[]> = { exists: [], missing: [] }
      for (let round = 0; round < 150; round++) {
        const order = round % 2 === 0 ? (['exists', 'missing'] as const) : (['missing', 'exists'] as const)
        for (const name of order) {
          const startMs = performance.now()
          await ask(who['eu'] as Who, row, name === 'exists' ? exists : missing)
          times[name].push(performance.now() - startMs)
        }
      }
      const low = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 4)] ?? 0
      const [first, second] = [low(times.exists), low(times.missing)]
      return Math.abs(first - second) / Math.min(first, second)
    }
    // Other work on the machine may disturb one measurement. What an answer gives away, it gives away each time.
    await waitFor('equal times', async () => (await measured()) < 0.1)
  }, 60_000)
})
