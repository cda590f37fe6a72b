import { type Dispatcher, request } from 'undici'

import { TokenIssuer } from '#authentication/testing'

import { uniqueName, waitFor } from '../stack/stack.ts'
import type { Kind, Row } from './access-rows.ts'
import {
  agentFor,
  type ProtectedInstallation,
  protectedInstallation,
  type SplitProcesses,
  type SplitService,
  startSplit,
} from './split-installation.ts'
import { createPrincipals, type TablePrincipals, type Target, type Who } from './table-principals.ts'

export const resources = ['allowed', 'denied', 'other', 'missing'] as const
export type Resource = (typeof resources)[number]

export interface Answer {
  readonly status: number
  readonly headers: Dispatcher.ResponseData['headers']
  readonly body: string
}

/** A request, and the service that it goes to; default: that of its row. */
export interface Asked {
  readonly who: Who
  readonly row: Pick<Row, 'route' | 'service' | 'isStream' | 'body'>
  readonly target: Target
  readonly to?: SplitService
}

/** A protected installation, its principals, and what requests of theirs aim at. */
export class AccessTable {
  readonly where: ProtectedInstallation
  readonly who: TablePrincipals
  readonly #issuer: TokenIssuer
  readonly #processes: SplitProcesses
  readonly #agent
  readonly #missingType = uniqueName('customer')
  readonly #missingProjection = uniqueName('monthly-revenue')

  private constructor(
    where: ProtectedInstallation,
    issuer: TokenIssuer,
    who: TablePrincipals,
    processes: SplitProcesses,
  ) {
    this.where = where
    this.who = who
    this.#issuer = issuer
    this.#processes = processes
    this.#agent = agentFor(where.authority)
  }

  /** It waits until every service knows all keys, and those of the issuer. */
  static async start(): Promise<AccessTable> {
    const issuer = await TokenIssuer.start()
    const where = await protectedInstallation(issuer)
    const [who, processes] = await Promise.all([createPrincipals(where, issuer), startSplit(where)])
    const table = new AccessTable(where, issuer, who, processes)
    await waitFor('the last changes of access', async () => {
      const statuses = await Promise.all(
        table.services.flatMap((to) =>
          [who.admin, who.token, who.revoked, who.expired].map((each) => table.#statusOf(each, to)),
        ),
      )
      return statuses.join() === table.services.map(() => '200,403,401,401').join()
    })
    return table
  }

  readonly services: readonly SplitService[] = ['writer', 'otherWriter', 'snapshotter', 'projector']

  async stop(): Promise<void> {
    const agents = Object.values(this.who).flatMap(({ agent }) => (agent === undefined ? [] : [agent]))
    await Promise.all([this.#agent, ...agents].map((agent) => agent.destroy()))
    await this.#processes.stop()
    await this.#issuer.stop()
    await this.where.remove()
  }

  /**
   * One of four resources of a kind. Names of those that do not exist are as long as the others, so that answers can be
   * compared.
   */
  target(kind: Kind, resource: Resource): Target {
    const { type, domain } = this.where
    const otherType = domain.types[1] ?? ''
    const types = { allowed: type, denied: otherType, other: domain.projections.lifetime }
    const names = { allowed: domain.projections.lifetime, denied: domain.projections.monthly, other: type }
    const ids = { allowed: 'eu-1', denied: 'us-1', other: 'eu-1', missing: 'us-0' }
    const all = {
      type: { ...types, missing: this.#missingType },
      name: { ...names, missing: this.#missingProjection },
    }
    const ofStream = resource === 'other' ? otherType : type
    return {
      kind,
      type: kind === 'stream' ? ofStream : all.type[resource],
      id: ids[resource],
      name: all.name[resource],
    }
  }

  /** Sends a request. Of a subscription only the start is awaited. */
  async ask({ who, row, target, to = row.service }: Asked): Promise<Answer> {
    const { statusCode, headers, body } = await this.open({ who, row, target, to })
    const isOpen = row.isStream === true && statusCode === 200
    if (isOpen) body.on('error', () => undefined).destroy()
    return { status: statusCode, headers, body: isOpen ? '' : await body.text() }
  }

  /** Sends a request whose answer the caller reads. */
  open({ who, row, target, to = row.service }: Asked): Promise<Dispatcher.ResponseData> {
    const { method, path } = pathOf(row.route, target)
    const body = row.body?.(`${target.type}.${target.id}`)
    const isChange = method !== 'GET' && method !== 'HEAD'
    return request(this.#processes.urls[to] + path, {
      method,
      dispatcher: who.agent ?? this.#agent,
      headers: { ...who.headers, ...(isChange && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }

  /** The body of the answer to a GET that must succeed. */
  async read<Body>(name: string, service: Row['service'], path: string, to?: SplitService): Promise<Body> {
    const row = { service, route: `GET ${path}` }
    const target = this.target('installation', 'allowed')
    const who = this.who[name]
    if (who === undefined) throw new Error(`there is no principal ${name}`)
    const { status, body } = await this.ask({ who, row, target, ...(to && { to }) })
    if (status !== 200) throw new Error(`GET ${path} was answered with ${status}: ${body}`)
    return JSON.parse(body) as Body
  }

  async #statusOf(who: Who, to: SplitService): Promise<number> {
    const row = { service: 'writer', route: 'GET /metrics' } as const
    return (await this.ask({ who, row, target: this.target('installation', 'allowed'), to })).status
  }
}

function pathOf(route: string, { type, id, name }: Target): { method: Dispatcher.HttpMethod; path: string } {
  const [method = '', template = ''] = route.split(' ')
  const path = template
    .replace('/streams/:id', `/streams/${type}.${id}`)
    .replace(':type', type)
    .replace(':name', name)
    .replace(':key', 'c-1')
    .replace(':id', 'none')
  return { method: method, path }
}
