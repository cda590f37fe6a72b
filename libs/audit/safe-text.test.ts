import fc from 'fast-check'
import { expect, test } from 'vitest'

import { safeText } from './safe-text.ts'

const key = 'annals_abcdefghij234567_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXU'
const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg'

test.each([
  ['an API key, but its public id', key, 'annals_abcdefghij234567_[secret]'],
  ['a key within a path', `/streams/${key}/events`, '/streams/annals_abcdefghij234567_[secret]/events'],
  ['a JSON Web Token', `sub ${token} is`, 'sub [secret] is'],
  ['a header', 'Authorization: Bearer abcdefghijklmnopqrst', 'Authorization: Bearer [secret]'],
  ['an encoded header', 'basic%20dXNlcjpwYXNzd29yZA==', 'basic [secret]'],
  ['the login of a URL', 'https://ada:pw@host/x', 'https://[secret]@host/x'],
])('%s is removed', (_, given, safe) => expect(safeText(given, 200)).toBe(safe))

test.each([
  ['line\nbreak\u001b[31m', 'line\ufffdbreak\ufffd[31m'],
  ['half \ud800', 'half \ufffd'],
  ['\u202edetrevni\u2028', '\ufffddetrevni\ufffd'],
  ['no role of ada grants append on order.42', 'no role of ada grants append on order.42'],
  ['the bearer token has expired', 'the bearer token has expired'],
  ['ключ 👩‍🚀', 'ключ 👩‍🚀'],
])('%j becomes %j', (given, safe) => expect(safeText(given, 200)).toBe(safe))

test('a long text is cut, also within a pair of surrogates and within a credential', () => {
  expect(safeText('abcdef', 4)).toBe('abc…')
  expect(safeText('ab👩cd', 4)).toBe('ab\ufffd…')
  for (let length = 1; length < 120; length++) {
    expect(safeText(`x ${key} ${token}`, length)).not.toMatch(/Zm9v|eyJzdWIi|c2ln/)
  }
})

test('any text is bounded and free of secrets and forbidden characters', () => {
  const any = fc.string({ unit: 'binary', maxLength: 300 })
  fc.assert(
    fc.property(any, any, fc.integer({ min: 1, max: 400 }), (before, after, lengthMax) => {
      const safe = safeText(`${before} ${key} ${after}`, lengthMax)
      return safe.length <= lengthMax && !safe.includes('Zm9vYmFy') && !/[\p{Cc}\p{Cs}]/u.test(safe)
    }),
  )
})

test('a hostile text of a megabyte costs no more than a short one', () => {
  const hostile = ['://', 'bearer ', 'bearer+', 'eyJaaaaaaaa.', 'annals_aaaa_', '@', 'a']
  const beganMs = performance.now()
  for (const part of hostile) safeText(part.repeat(1_000_000 / part.length), 600)
  expect(performance.now() - beganMs).toBeLessThan(500)
})
