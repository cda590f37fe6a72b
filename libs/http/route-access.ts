import type { FastifyInstance } from 'fastify'

import { type Action, type Resource, streamResource } from '#access'

/** What a request needs to be let in. Every route declares it in its `config`. */
export type RouteAccess =
  /** No credential is required. One that is sent must be valid. */
  | 'public'
  /** Any valid credential. The handler shows only what the caller may see. */
  | 'authenticated'
  | DeclaredAccess

export interface DeclaredAccess {
  /** One of them is enough. */
  readonly actions: readonly Action[]
  /** The resource of a request, by its path parameters. Absent: the body names several, and the handler checks each. */
  readonly resource?: (params: Readonly<Record<string, string>>) => Resource
  /** Whether each request goes to the audit trail, not only rejected ones. */
  readonly isAudited?: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: RouteAccess
  }
}

/** Access to the stream in the parameter `id`. */
export const onStream = (...actions: readonly Action[]): DeclaredAccess => ({
  actions,
  resource: ({ id = '' }) => streamResource(id),
})

/** Access to those streams of the type in the parameter `type` that the caller may use. The handler filters. */
export const onCategory = (...actions: readonly Action[]): DeclaredAccess => ({
  actions,
  resource: ({ type = '' }) => ({ kind: 'category', type }),
})

/** Access to all streams of the type in the parameter `type`. */
export const onType = (...actions: readonly Action[]): DeclaredAccess => ({
  actions,
  resource: ({ type = '' }) => ({ kind: 'type', type }),
})

/** Access to the projection in the parameter `name`. */
export const onProjection = (...actions: readonly Action[]): DeclaredAccess => ({
  actions,
  resource: ({ name = '' }) => ({ kind: 'projection', name }),
})

/** Access to the installation. */
export const onInstallation = (...actions: readonly Action[]): DeclaredAccess => ({
  actions,
  resource: () => ({ kind: 'installation' }),
})

/** Access to several streams that the body names. The handler checks each with `refusalOf`. */
export const onEachStream = (...actions: readonly Action[]): DeclaredAccess => ({ actions })

/** The same access, with each request in the audit trail. */
export const audited = (access: DeclaredAccess): DeclaredAccess => ({ ...access, isAudited: true })

/** The pages at `/docs` come from a plugin. They are public, and describe only the API. */
const isDocumentation = (url: string): boolean => url === '/docs' || url.startsWith('/docs/')

/** Rejects routes without a declaration when they are registered, so that none is open by mistake. */
export function requireDeclarations(app: FastifyInstance): void {
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.access === undefined && !isDocumentation(url)) {
      throw new TypeError(
        `${String(method)} ${url} does not declare its access: add config: { access: … } to the route`,
      )
    }
  })
}
