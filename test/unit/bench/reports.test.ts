import { expect, test } from 'vitest'

import { formatAppend } from '../../../bench/append/report.ts'
import { sharesOf } from '../../../bench/append/several-writers.ts'
import { callersResult } from '../../../bench/callers.ts'
import { parseSamples } from '../../../bench/contenders/umadb/callers.ts'
import { lagsMs } from '../../../bench/scale/lag.ts'
import { formatScale } from '../../../bench/scale/report.ts'
import { meanOf } from '../../../bench/scale/restarts.ts'
import { formatTable } from '../../../bench/table.ts'

test('columns of a table are aligned to the right, except text in the last one', () => {
  expect(formatTable(['n', 'name'], [['10', 'a']])).toBe(' n  name\n10     a')
  expect(formatTable(['n', 'name'], [['10', 'a']], 'text')).toBe(' n  name\n10  a')
})

test('every row of the append bench states its durability', () => {
  const figures = (perSecond: number, p50Ms: number) => ({ perSecond, p50Ms, p99Ms: 2 * p50Ms })
  const text = formatAppend({
    brokers: 3,
    writers: 2,
    levels: [
      {
        callers: 64,
        results: { core: figures(9_000, 2), umadb: figures(3_000, 8), limit: figures(36_000, 1) },
      },
    ],
  })
  expect(text.split('\n')).toEqual([
    'three brokers, 2 writer processes for core and http',
    'callers  contender  appends/s  p50 ms  p99 ms  durability',
    '     64       core       9000    2.00    4.00  acks=all, 3 replicas, 2 in sync, page cache (no fsync)',
    '     64      umadb       3000    8.00   16.00  1 server, fdatasync at commit',
    '     64      limit      36000    1.00    2.00  acks=all, 3 replicas, 2 in sync, page cache (no fsync)',
    '',
    '64 callers: core 3.0 × UmaDB (p50 0.3 ×); core 25 % of the limit',
  ])
})

test('rates of processes add up, and percentiles are those of all calls', () => {
  const result = callersResult([
    { timesMs: [1, 1, 1], elapsedMs: 1_000 },
    { timesMs: [3, 3], elapsedMs: 500 },
  ])
  expect(result).toEqual({ perSecond: 7, p50Ms: 1, p99Ms: 3 })
})

test('the callers of UmaDB answer with the elapsed time and the time of each call, or a reason', () => {
  expect(parseSamples('2500.100 0.512 1.024')).toEqual({ elapsedMs: 2_500.1, timesMs: [0.512, 1.024] })
  expect(() => parseSamples('failed: gRPC status 9')).toThrow('failed: gRPC status 9')
})

test('callers are divided among processes, and none is lost', () => {
  expect(sharesOf(5, 2)).toEqual([3, 2])
  expect(sharesOf(1, 3)).toEqual([1, 0, 0])
})

test('the lag of an event ends with the first sample that counts it', () => {
  const samples = [
    { atMs: 10, applied: 0 },
    { atMs: 20, applied: 2 },
    { atMs: 30, applied: 3 },
  ]
  expect(lagsMs([8, 21, 25], samples)).toEqual([12, 0, 5])
  expect(() => lagsMs([8, 9, 10, 11], samples)).toThrow('event 3 was not applied')
})

test('the mean of a histogram is its sum by its count', () => {
  const name = 'annals_writer_take_over_seconds'
  const values = [
    { metricName: `${name}_bucket`, value: 7 },
    { metricName: `${name}_sum`, value: 3 },
    { metricName: `${name}_count`, value: 4 },
  ]
  expect(meanOf(values)).toBe(0.75)
  expect(meanOf([])).toBe(0)
})

test('the scale bench prints one row for each size', () => {
  const text = formatScale([
    {
      streams: 100_000,
      appendsPerSecond: 12_345.6,
      hotLoadP50Ms: 0.05,
      coldLoadP50Ms: 1.234,
      takeOverMs: 120.4,
      redisBytesPerStream: 151.5,
      kafkaBytesPerEvent: 561,
      rebuildMs: 2_000,
      projectedPerSecond: 30_000,
      lagP50Ms: 1.25,
      lagP99Ms: 20,
    },
  ])
  const [header = '', row = ''] = text.split('\n')
  expect(header.split(/ {2,}/)).toHaveLength(12)
  expect(row.trim().split(/ +/)).toEqual([
    '100000',
    '12346',
    '0.05',
    '1.23',
    '120',
    '152',
    '561',
    '2.0',
    '50000',
    '30000',
    '1.3',
    '20.0',
  ])
})
