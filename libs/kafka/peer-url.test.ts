import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { anyPeerUrl, peerUrlCheck } from './peer-url.ts'

const allowed = (hosts: readonly string[], url: string): boolean =>
  peerUrlCheck({ hosts, isTlsRequired: false })(url) === undefined

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
const hostName = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
const port = fc.integer({ min: 1, max: 65_535 })
const mixedCase = (text: string) =>
  fc
    .integer({ min: 0, max: text.length })
    .map((at) => text.slice(0, at).toUpperCase() + text.slice(at).toLowerCase())

describe('the shape of a URL', () => {
  test.each([
    'http://writer-1:7400',
    'https://writer-1/',
    'http://writer-1/annals',
    'http://[::1]:7400',
    'HTTP://Writer',
  ])('%s is allowed', (url) => expect(anyPeerUrl(url)).toBeUndefined())

  test.each([
    ['', 'malformed'],
    ['writer:7400', 'begins with writer:'],
    ['//writer', 'malformed'],
    ['file:///etc/passwd', 'begins with file:'],
    ['javascript:alert(1)', 'begins with javascript:'],
    ['http://ada:secret@writer', 'credentials'],
    ['http://ada@writer', 'credentials'],
    ['http://writer?', 'query or a fragment'],
    ['http://writer/#', 'query or a fragment'],
    [' http://writer', 'malformed'],
    ['http://wri\nter', 'malformed'],
    ['http://writer/\u0000', 'malformed'],
    ['http:\\\\writer', 'malformed'],
    ['http:writer', 'malformed'],
    ['http:///writer', 'malformed'],
    [`http://${'a'.repeat(2_000)}`, 'characters'],
  ])('%j: %s', (url, problem) => {
    expect(anyPeerUrl(url)).toContain(problem)
  })

  test('any text is judged, and what is allowed has one reading', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true })), (text) => {
        if (anyPeerUrl(text) !== undefined) return
        const url = new URL(text)
        expect([url.username, url.password, url.search, url.hash]).toEqual(['', '', '', ''])
        expect(url.protocol).toMatch(/^https?:$/)
      }),
    )
  })
})

describe('allowed hosts', () => {
  test('a name matches itself in any case and at any port', () => {
    const cased = hostName.chain((host) =>
      fc.tuple(fc.constant(host), mixedCase(host), mixedCase(host), port),
    )
    fc.assert(
      fc.property(cased, ([, inList, inUrl, at]) => {
        expect(allowed([inList], `http://${inUrl}:${at}`)).toBe(true)
      }),
    )
  })

  test('a name matches no other name', () => {
    fc.assert(
      fc.property(hostName, hostName, (one, other) => {
        expect(allowed([one], `http://${other}`)).toBe(one === other)
      }),
    )
  })

  test('a port matches itself only', () => {
    fc.assert(
      fc.property(hostName, port, port, (host, one, other) => {
        expect(allowed([`${host}:${one}`], `http://${host}:${other}`)).toBe(one === other)
      }),
    )
  })

  test('a wildcard matches what ends with a dot and its name, and nothing else', () => {
    fc.assert(
      fc.property(hostName, hostName, label, (base, other, more) => {
        expect(allowed([`*.${base}`], `http://${more}.${base}`)).toBe(true)
        expect(allowed([`*.${base}`], `http://${more}${base}`)).toBe(`${more}${base}`.endsWith(`.${base}`))
        expect(allowed([`*.${base}`], `http://${other}`)).toBe(other.endsWith(`.${base}`))
      }),
    )
  })

  test('more hosts never take any away', () => {
    fc.assert(
      fc.property(fc.array(hostName, { minLength: 1 }), hostName, hostName, (hosts, more, host) => {
        const url = `http://${host}`
        if (allowed(hosts, url)) expect(allowed([...hosts, more], url)).toBe(true)
      }),
    )
  })

  test.each([
    ['127.0.0.1', 'http://127.0.0.1:7400', true],
    ['127.0.0.1', 'http://127.1:7400', true],
    ['127.0.0.1', 'http://0x7f000001', true],
    ['[::1]', 'http://[0:0::1]:7400', true],
    ['[::1]:7400', 'http://[::1]:7400', true],
    ['[::1]:7400', 'http://[::1]:7401', false],
    ['writer:443', 'https://writer', true],
    ['writer:443', 'http://writer', false],
    ['writer:80', 'http://writer', true],
    ['writer', 'http://writer.', false],
    ['writer', 'http://writer@evil', false],
    ['*.svc', 'http://svc', false],
    ['*.svc', 'http://a.b.svc', true],
    ['*.0.0.1', 'http://127.0.0.1', false],
    ['%zz', 'http://writer', false],
    ['bücher.example', 'http://xn--bcher-kva.example', true],
  ])('%s and %s: %s', (host, url, isAllowed) => expect(allowed([host], url)).toBe(isAllowed))

  test('the reason names the setting and the host', () => {
    expect(peerUrlCheck({ hosts: ['writer'], isTlsRequired: false })('http://evil:1/x')).toBe(
      'its URL is not allowed by ANNALS_PEER_HOSTS: evil:1',
    )
  })
})

test('a service with TLS refuses http:', () => {
  const check = peerUrlCheck({ hosts: [], isTlsRequired: true })
  expect(check('http://writer')).toBe('its URL begins with http:, and this service uses TLS')
  expect(check('https://writer')).toBeUndefined()
})
