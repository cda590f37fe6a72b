import { keepOpen, type RawConnections } from './raw-connections.ts'
import { repeat, type RepeatedRequest } from './repeated-requests.ts'
import type { Attack, HostileCaller } from './target.ts'

const crlf = '\r\n'
/** Beyond any offset that will ever exist. */
const farOffset = 1_000_000_000

const get = (path: string, { url }: Attack, more = ''): string =>
  `GET ${path} HTTP/1.1${crlf}host: ${new URL(url).host}${crlf}connection: close${crlf}${more}${crlf}`

const raw = (does: string, options: (attack: Attack) => Omit<RawConnections, 'url'>): HostileCaller => ({
  does,
  run: (attack, tally, signal) => {
    const { count, ...rest } = options(attack)
    return keepOpen({ ...rest, url: attack.url, count: shareOf(count, attack) }, tally, signal)
  },
})

const repeated = (does: string, options: (attack: Attack) => RepeatedRequest): HostileCaller => ({
  does,
  run: (attack, tally, signal) => {
    const { count, ...rest } = options(attack)
    return repeat({ ...rest, count: shareOf(count, attack) }, tally, signal)
  },
})

const shareOf = (count: number, { share }: Attack): number => Math.max(1, Math.round(count * share))

const junk = JSON.stringify({ appends: Array.from({ length: 250_000 }, () => 1) })
const levels = 20_000
const deep = `{"events":[{"type":"PurchaseMade","data":${'['.repeat(levels)}${']'.repeat(levels)}}]}`
const manyHeaders = Array.from({ length: 20_000 }, (_, n) => `x-${n}: ${n}${crlf}`).join('')

/** Callers that try to bring the service down, by name. */
export const hostileCallers: Readonly<Record<string, HostileCaller>> = {
  'junk arrays': repeated('4 requests with 250,000 items that are not appends', ({ url }) => ({
    method: 'POST',
    url: () => `${url}/appends`,
    body: junk,
    count: 4,
    restMs: 100,
  })),
  'deep JSON': repeated('4 events of 20,000 levels', ({ url, type }) => ({
    method: 'POST',
    url: () => `${url}/streams/${type}.deep/events`,
    body: deep,
    count: 4,
    restMs: 100,
  })),
  'unfinished bodies': raw('600 connections whose body never ends', ({ url }) => ({
    count: 600,
    send: () =>
      `POST /appends HTTP/1.1${crlf}host: ${new URL(url).host}${crlf}content-type: application/json${crlf}content-length: 100000${crlf}${crlf}{"appends":[`,
    reads: true,
    restMs: 100,
  })),
  'half-open connections': raw('500 connections that send half of their headers', ({ url }) => ({
    count: 500,
    send: () => `GET /owners HTTP/1.1${crlf}host: ${new URL(url).host}${crlf}x-`,
    reads: true,
    restMs: 100,
  })),
  'twenty thousand headers': raw('5 requests of 20,000 headers', (attack) => ({
    count: 5,
    send: () => get('/owners', attack, manyHeaders),
    reads: true,
    restMs: 200,
  })),
  'no HTTP at all': raw('20 connections that send garbage', () => ({
    count: 20,
    send: (n) => Buffer.alloc(4_096, n),
    reads: true,
    restMs: 200,
  })),
  subscribers: raw('2,000 subscribers, to the category and to views, from the beginning', (attack) => ({
    count: 2_000,
    send: (n) => get(subscriptionOf(attack, n), attack),
    reads: true,
    restMs: 1_000,
  })),
  'slow subscribers': raw('200 subscribers that read nothing', (attack) => ({
    count: 200,
    send: (n) => get(subscriptionOf(attack, n), attack),
    reads: false,
    restMs: 1_000,
  })),
  'slow readers of pages': raw('100 readers of long pages that read nothing', (attack) => ({
    count: 100,
    send: () => get(`/streams/${attack.longStream}/events?limit=1000`, attack),
    reads: false,
    restMs: 1_000,
  })),
  waiters: repeated('5,000 reads of a view after an event that never comes', ({ url, type, projection }) => ({
    method: 'GET',
    url: (n) =>
      `${url}/projections/${projection}/views/soak-${n % 500}?after=eventstore.${type}:0:${farOffset}&timeoutMs=5000`,
    count: 5_000,
    restMs: 1_000,
  })),
  'states of a long stream': repeated('40 states of 20,000 events', ({ url, longStream }) => ({
    method: 'GET',
    url: (n) =>
      `${url}/streams/${longStream}/state?${n % 2 === 0 ? 'version=19999' : `at=${new Date().toISOString()}`}`,
    count: 40,
    restMs: 100,
  })),
  'category pages': repeated(
    '20 pages of a category with a filter that matches nothing',
    ({ url, type }) => ({
      method: 'GET',
      url: () => `${url}/categories/${type}/events?correlationId=nothing-of-the-kind&limit=1000`,
      count: 20,
      restMs: 100,
    }),
  ),
}

const subscriptionOf = ({ type, projection }: Attack, n: number): string =>
  n % 2 === 0 ? `/categories/${type}/subscribe` : `/projections/${projection}/subscribe`
