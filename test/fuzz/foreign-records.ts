import fc from 'fast-check'

import type { LogRecord } from '#kafka'

/** A change to a record that an owner would have written, and how verify reports the result. */
export interface Foreign {
  readonly what: string
  readonly change: (record: LogRecord) => LogRecord
}

const withHeader =
  (name: string, value: string | Buffer | undefined) =>
  (record: LogRecord): LogRecord => ({
    ...record,
    headers: record.headers.flatMap(([each, old]) =>
      each !== name ? [[each, old] as const] : value === undefined ? [] : [[each, value] as const],
    ),
  })

const withValue =
  (change: (value: Buffer) => Buffer | null) =>
  (record: LogRecord): LogRecord => ({ ...record, value: change(record.value ?? Buffer.alloc(0)) })

const garbage = Buffer.from([0xff, 0xfe, 0x00, 0xed, 0xa0, 0x80])

const required = ['ce_id', 'ce_type', 'ce_subject', 'ce_time', 'ce_streamversion']

/** Records that are recognisably not events. */
export const notEvents: readonly Foreign[] = [
  ...required.map((name) => ({ what: `no ${name}`, change: withHeader(name, undefined) })),
  ...required
    .filter((name) => name !== 'ce_type')
    .map((name) => ({ what: `garbage in ${name}`, change: withHeader(name, garbage) })),
  { what: 'no headers', change: (record) => ({ ...record, headers: [] }) },
  { what: 'no value', change: withValue(() => null) },
  { what: 'an empty value', change: withValue(() => Buffer.alloc(0)) },
  { what: 'JSON as the value', change: withValue(() => Buffer.from('{"date":"1997-01-12"}')) },
  {
    what: 'a wrong magic byte',
    change: withValue((value) => Buffer.concat([Buffer.from([1]), value.subarray(1)])),
  },
  { what: 'a value cut within its schema id', change: withValue((value) => value.subarray(0, 3)) },
  { what: 'no key', change: (record) => ({ ...record, key: Buffer.alloc(0) }) },
  { what: 'the key of another stream', change: (record) => ({ ...record, key: Buffer.from('order.other') }) },
  { what: 'a stream of another type', change: withHeader('ce_subject', 'order.other') },
  { what: 'version 0', change: withHeader('ce_streamversion', '0') },
  { what: 'a version that is not a number', change: withHeader('ce_streamversion', '1e3') },
  { what: 'a version beyond the numeric range', change: withHeader('ce_streamversion', '9'.repeat(30)) },
  { what: 'an invalid id', change: withHeader('ce_id', 'one') },
  { what: 'an invalid time', change: withHeader('ce_time', 'yesterday') },
  {
    what: 'half a megabyte of garbage',
    change: (record) => ({ ...record, headers: [], value: Buffer.alloc(500_000, 1) }),
  },
  {
    what: 'a thousand headers',
    change: (record) => ({
      ...record,
      headers: Array.from({ length: 1_000 }, (_, index) => [`h${index}`, garbage] as const),
    }),
  },
]

/** Well-formed, but with a version that does not follow. */
export const misfits: readonly Foreign[] = [
  { what: 'version 1 again', change: withHeader('ce_streamversion', '1') },
  { what: 'a version far ahead', change: withHeader('ce_streamversion', '1000') },
  { what: 'the largest version', change: withHeader('ce_streamversion', String(2 ** 31 - 1)) },
]

/** A selection of these, in any order. */
export const someOf = (foreign: readonly Foreign[]): fc.Arbitrary<readonly Foreign[]> =>
  fc.shuffledSubarray([...foreign], { minLength: 1 })
