import { isIP } from 'node:net'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import { quote } from '#domain'

import { isChange } from './change.ts'
import { RequestRefusal } from './request-refusal.ts'

/** What tells a service's own address from others. Names with a port stand for that port, names without for all. */
export interface OwnHosts {
  /** Besides loopback names: of the advertised URL, and those that proxies and load balancers go by. */
  readonly hosts: readonly string[]
}

/**
 * Refuses what a browser sends for a page that is not this service's own:
 * - a Host that is a foreign name: by DNS rebinding a page's own name leads here, and the browser takes both for one origin. Nobody
 *   can rebind an IP address, so those pass; probes and metrics pass by any name, because they change and tell little;
 * - a foreign Origin, or a Sec-Fetch-Site that says so;
 * - a change whose content type is not JSON: forms and simple requests of any page cannot send that without asking first.
 */
export function refuseForeignRequests(app: FastifyInstance, { hosts }: OwnHosts): void {
  const own = new Set(hosts.map((host) => host.toLowerCase()))
  const isOwnName = ownNames(own)
  app.addHook('onRequest', (request, reply, done) => {
    // Data is no script, whatever a page of another origin takes it for. No page can embed the answer to a change.
    if (!isChange(request.method)) void reply.headers(noScript)
    done(hostRefusal(request, isOwnName) ?? originRefusal(request, own) ?? contentRefusal(request))
  })
}

const noScript = { 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin' }

/** Whether a Host is the service's own. The last one that was is remembered: mostly it comes again. */
function ownNames(own: ReadonlySet<string>): (host: string) => boolean {
  const names = new Set([...own].map((host) => hostnameOf(host) ?? host))
  let last: string | undefined
  return (host) => {
    if (host === last) return true
    const name = hostnameOf(host)
    if (name === undefined || !(name === 'localhost' || isIP(name) !== 0 || names.has(name))) return false
    last = host
    return true
  }
}

function hostRefusal(
  { headers, url }: FastifyRequest,
  isOwnName: (host: string) => boolean,
): RequestRefusal | undefined {
  const { host } = headers
  // Only HTTP/1.0 leaves it out, and no browser speaks that.
  if (host === undefined || isOwnName(host) || isProbe(url)) return undefined
  return new RequestRefusal(
    'host-not-allowed',
    `Host ${host.slice(0, 200)} is no name of this service: use its address, or add the name to ANNALS_ALLOWED_HOSTS`,
  )
}

/** Asked by machines, by whatever name they have for this one. */
const isProbe = (url: string): boolean => url.startsWith('/health/') || url === '/metrics'

/** The name or address in a Host header; undefined where it is malformed. */
function hostnameOf(host: string): string | undefined {
  const [, address, name] = /^(?:\[([\da-f:.]+)\]|([^\s:/?#@\\[\]]+))(?::\d{1,5})?$/i.exec(host) ?? []
  return (address ?? name)?.toLowerCase().replace(/\.$/, '')
}

function originRefusal(request: FastifyRequest, own: ReadonlySet<string>): RequestRefusal | undefined {
  const { origin, host = '', 'sec-fetch-site': site } = request.headers
  if (origin !== undefined && !isOwnOrigin(origin, host, own)) {
    return foreign(`pages of ${origin.slice(0, 200)} may not send requests here: only this service's own may`)
  }
  if (site === undefined || site === 'same-origin' || site === 'none' || opensPage(request)) return undefined
  return foreign(`the browser says that a page of another origin sent this (Sec-Fetch-Site: ${quoted(site)})`)
}

const foreign = (detail: string) => new RequestRefusal('origin-not-allowed', detail)

const quoted = (header: string | string[]): string => String(header).slice(0, 50)

/** Where a proxy passes on another Host, the page knows the service by the name that is configured. */
function isOwnOrigin(origin: string, host: string, own: ReadonlySet<string>): boolean {
  const page = URL.parse(origin)
  if (page === null || page.host === '') return false
  const asked = URL.parse(`${page.protocol}//${host}`)
  return (
    page.host === asked?.host ||
    own.has(page.hostname) ||
    own.has(`${page.hostname}:${page.port || standardPorts[page.protocol]}`)
  )
}

const standardPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

/** A person follows a link to the documentation. */
const opensPage = ({ method, url, headers }: FastifyRequest): boolean =>
  method === 'GET' &&
  headers['sec-fetch-mode'] === 'navigate' &&
  headers['sec-fetch-dest'] === 'document' &&
  /^\/docs(?:[/?]|$)/.test(url)

function contentRefusal(request: FastifyRequest): RequestRefusal | undefined {
  if (!isChange(request.method) || request.is404) return undefined
  const { 'content-type': type } = request.headers
  if (type === 'application/json') return undefined
  const essence = type?.split(';', 1)[0]?.trim().toLowerCase()
  if (essence !== 'application/json') return notJson(type)
  const foreignCharset = charsetsOf(type ?? '').find((charset) => !/^utf-?8$/i.test(charset))
  return foreignCharset === undefined ? undefined : notUtf8(foreignCharset)
}

const charsetsOf = (type: string): readonly string[] =>
  Array.from(
    type.matchAll(/;\s*charset\s*=\s*(?:"([^"]*)"|([^;\s]*))/gi),
    ([, quoted, bare]) => quoted ?? bare ?? '',
  )

const notUtf8 = (charset: string): RequestRefusal =>
  new RequestRefusal(
    'content-type-not-json',
    `the charset is ${quote(charset)}: JSON is taken in UTF-8 only; encode the body so, and leave the charset out or say utf-8`,
  )

/** The refusal of a body that is not sent as JSON. */
export const notJson = (type: string | undefined): RequestRefusal =>
  new RequestRefusal(
    'content-type-not-json',
    `the content type is ${type === undefined ? 'not given' : type.slice(0, 100)}: expected application/json, also without a body`,
  )
