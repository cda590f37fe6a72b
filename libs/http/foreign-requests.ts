import { isIP } from 'node:net'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import { quote } from '#domain'

import { isChange } from './change.ts'
import { RequestRefusal } from './request-refusal.ts'

/**
 * Names that belong to the service itself. A name with a port matches that port only; a name without a port matches
 * all.
 */
interface OwnHosts {
  /**
   * In addition to loopback names: the host of the advertised URL, and the names that proxies and load balancers use.
   */
  readonly hosts: readonly string[]
}

/**
 * Rejects what a browser sends on behalf of a foreign page:
 * - a foreign Host name: with DNS rebinding, a page's own name resolves to this service, and the browser sees one
 *   origin. An IP address cannot be rebound, so it passes. Probes and metrics pass under any name, because they change
 *   and reveal little;
 * - a foreign Origin, or a Sec-Fetch-Site that says so;
 * - a change whose content type is not JSON: a page cannot send that without a preflight request.
 */
export function refuseForeignRequests(app: FastifyInstance, { hosts }: OwnHosts): void {
  const own = new Set(hosts.map((host) => host.toLowerCase()))
  const isOwnName = ownNames(own)
  app.addHook('onRequest', (request, reply, done) => {
    // A page of another origin must not run data as a script. The answer to a change cannot be embedded by any page.
    if (!isChange(request.method)) void reply.headers(noScript)
    done(hostRefusal(request, isOwnName) ?? originRefusal(request, own) ?? contentRefusal(request))
  })
}

const noScript = { 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin' }

/** Whether a Host is the service's own. The last match is cached, because it usually repeats. */
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
  // Only HTTP/1.0 omits it, and no browser uses that.
  if (host === undefined || isOwnName(host) || isProbeUrl(url)) return undefined
  return new RequestRefusal(
    'host-not-allowed',
    `Host ${host.slice(0, 200)} is not a name of this service: use its address, or add the name to ANNALS_ALLOWED_HOSTS`,
  )
}

/** Monitoring requests these under any name. */
const isProbeUrl = (url: string): boolean => url.startsWith('/health/') || url === '/metrics'

/** The name or address in a Host header; undefined where it is malformed. */
function hostnameOf(host: string): string | undefined {
  const [, address, name] = /^(?:\[([\da-f:.]+)\]|([^\s:/?#@\\[\]]+))(?::\d{1,5})?$/i.exec(host) ?? []
  return (address ?? name)?.toLowerCase().replace(/\.$/, '')
}

function originRefusal(request: FastifyRequest, own: ReadonlySet<string>): RequestRefusal | undefined {
  const { origin, host = '', 'sec-fetch-site': site } = request.headers
  if (origin !== undefined && !isOwnOrigin(origin, host, own)) {
    return foreign(
      `pages of ${origin.slice(0, 200)} may not send requests here: only this service's own pages may`,
    )
  }
  if (site === undefined || site === 'same-origin' || site === 'none' || opensPage(request)) return undefined
  return foreign(
    `the browser reports that a page of another origin sent this (Sec-Fetch-Site: ${quoted(site)})`,
  )
}

const foreign = (detail: string) => new RequestRefusal('origin-not-allowed', detail)

const quoted = (header: string | string[]): string => String(header).slice(0, 50)

/** If a proxy changes the Host, the page knows the service by its configured name. */
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

/** A person followed a link to the documentation. */
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
    `the charset is ${quote(charset)}: JSON is accepted in UTF-8 only; encode the body in UTF-8, and omit the charset or set it to utf-8`,
  )

/** The rejection of a body that is not sent as JSON. */
export const notJson = (type: string | undefined): RequestRefusal =>
  new RequestRefusal(
    'content-type-not-json',
    `the content type is ${type === undefined ? 'not given' : type.slice(0, 100)}: expected application/json, also without a body`,
  )
