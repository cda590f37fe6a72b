import { expect, test } from 'vitest'

import { loadConfig } from '#config'
import { defineAggregate, defineDomain } from '#domain'

import type { StoredBackup } from './backup-folder.ts'
import type { OpenLog } from './open-log.ts'
import { planBackup } from './plan-backup.ts'
import type { Manifest } from './manifest.ts'

const domain = defineDomain({
  aggregates: [defineAggregate({ type: 'order', initialState: () => ({}), evolve: {} })],
  projections: [],
  upcasters: [],
})
const name = 'eventstore.order'

interface Log {
  readonly clusterId?: string
  readonly topicId?: string
  /** Of each partition. */
  readonly spans?: readonly (readonly [start: number, end: number])[]
  readonly journal?: string
}

const spansDefault = [
  [0, 10],
  [0, 20],
] as const

function logOf({ clusterId = 'C', topicId = 'T', spans = spansDefault, journal = '' }: Log = {}): OpenLog {
  const existing = [
    { name, topicId, partitions: spans.length, replication: 1, configs: {} },
    { name: journal, topicId: 'J', partitions: 1, replication: 1, configs: {} },
  ]
  const span = (partition: number) => spans[partition] ?? [0, 0]
  return {
    config: loadConfig({}),
    cluster: { clusterId },
    topics: {
      describe: (names: readonly string[]) =>
        Promise.resolve(existing.filter((topic) => names.includes(topic.name))),
      ownSettings: () => Promise.resolve({ 'retention.ms': '-1' }),
    },
    reader: {
      startOffset: (_: string, partition: number) => Promise.resolve(span(partition)[0]),
      endOffset: (_: string, partition: number) => Promise.resolve(span(partition)[1]),
    },
  } as unknown as OpenLog
}

/** A chain with one full backup of the log. */
async function chainOf(log: OpenLog): Promise<readonly StoredBackup[]> {
  const { topics } = await planBackup(log, domain, [], [])
  const made = topics.map((topic) => ({
    ...topic,
    ranges: topic.ranges.map(({ partition, from, until }) => ({
      partition,
      from,
      until,
      events: 0,
      files: [],
    })),
  }))
  const manifest = { id: 'first', clusterId: 'C', topics: made } as unknown as Manifest
  return [{ manifest, sha256: '', folder: '' }]
}

const spansOf = async (log: OpenLog, chain: readonly StoredBackup[] = []) =>
  (await planBackup(log, domain, [], chain)).topics.flatMap(({ ranges }) =>
    ranges.map(({ from, until }) => [from, until]),
  )

test('a full backup reads everything, an incremental one what is new', async () => {
  const log = logOf()
  expect(await spansOf(log)).toEqual([
    [0, 10],
    [0, 20],
  ])
  const later = logOf({
    spans: [
      [0, 10],
      [3, 25],
    ],
  })
  expect(await spansOf(later, await chainOf(log))).toEqual([
    [10, 10],
    [20, 25],
  ])
  expect(await planBackup(later, domain, [], await chainOf(log))).toMatchObject({
    kind: 'incremental',
    added: [],
  })
})

test('a full backup of a log without its head has a warning', async () => {
  const plan = await planBackup(logOf({ spans: [[4, 10]] }), domain, [], [])
  expect(plan).toMatchObject({ kind: 'full', added: [name] })
  expect(plan.warnings).toEqual([expect.stringContaining(`partition 0 of ${name} starts at offset 4`)])
})

test.each<[string, Log, string]>([
  ['another cluster', { clusterId: 'D' }, 'come from cluster C, this one is D'],
  ['a recreated topic', { topicId: 'U' }, 'is not the topic that was backed up'],
  ['a topic with more partitions', { spans: [...spansDefault, [0, 1]] }, 'has 3 partitions, but had 2'],
  [
    'events deleted since',
    { spans: [[11, 12], spansDefault[1]] },
    'starts at offset 11 now, but was backed up to 10',
  ],
  [
    'a log that lost its end',
    { spans: [[0, 9], spansDefault[1]] },
    'ends at offset 9, but was backed up to 10',
  ],
  ['a move in progress', { journal: 'repartition-journal.order' }, 'events are being moved or restored'],
  ['a restore in progress', { journal: 'restore-journal.order' }, 'events are being moved or restored'],
])('%s is rejected', async (_, log, message) => {
  await expect(planBackup(logOf(log), domain, [], await chainOf(logOf()))).rejects.toThrow(message)
})
