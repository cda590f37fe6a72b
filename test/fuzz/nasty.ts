import fc from 'fast-check'

/**
 * Texts that have broken programs before: invalid Unicode, terminators, names of prototypes, malformed numbers and
 * times.
 */
export const nastyTexts = [
  '',
  ' ',
  'a\0b',
  '\ud800',
  '\udc00x',
  '𝒳-🏳️‍🌈',
  'e\u0301\u202e',
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  "'; DROP TABLE events; --",
  'NaN',
  '-1',
  '1e999',
  '9'.repeat(400),
  '9007199254740993',
  '0x10',
  '2026-02-30T12:00:00.000Z',
  '+275760-09-13T00:00:00.001Z',
  '-000001-01-01T00:00:00Z',
  '9999-12-31',
  'a:b:c',
  'eventstore.order:3:42',
  'x:0:-1',
  'x'.repeat(5_000),
  '%00',
  '%',
  '{}',
  '*',
  ',,,',
  '\r\n',
] as const

const nested = (depth: number): unknown => {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { nested: value }
  return value
}

/** JSON values where another one is expected. */
export const nastyJson: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>(...nastyTexts) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<unknown>(
      ...[null, true, false, 0, -0, -1, 1.5, 1e308, 2 ** 31, 2 ** 53, 2 ** 64, -(2 ** 63), 5e-324],
      ...[[], {}, [null], [[]], nested(60), Array.from({ length: 1_200 }, (_, index) => index)],
      ...[JSON.parse('{"__proto__": {"polluted": true}}'), JSON.parse('{"constructor": {"prototype": 1}}')],
      ...[{ length: 1e9 }, { toString: 1, valueOf: null, toJSON: 3 }, { then: 1 }],
    ),
  },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
)

/** Also for text that has no UTF-8 encoding. */
const percentEncoded = (text: string): string => encodeURIComponent(text.toWellFormed())

/** Parts of a request target as sent over the wire. */
export const nastyTargetPart: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...nastyTexts).map(percentEncoded) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...[
        '',
        '%',
        '%ZZ',
        '%0',
        '%ED%A0%80',
        '%FF%FE',
        '%C0%AF',
        '..',
        '.',
        '%2e%2e%2f',
        '%2F',
        '{id}',
        ':id',
      ],
      ...[
        'a'.repeat(4_500),
        '%41'.repeat(1_500),
        '~',
        ';a=1',
        '+',
        '%20',
        '%0d%0a',
        '\x7f',
        '\xff',
        '"',
        '|',
      ],
    ),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }).map(percentEncoded) },
)
