import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { eventTopic, partitionFor } from '#domain'
import { FencedLog, KafkaCluster, LogReader, type LogRecord, type StoredRecord, Topics } from '#kafka'

import type { RunCli } from '../../support/cli/cli.ts'
import { cliHere } from '../../support/cli/cli-here.ts'
import { type GuardedKafka, startGuardedKafka } from '../../support/kafka/guarded-kafka.ts'
import { openReplaySource, type ReplaySource } from '../../support/operations/replay-source.ts'
import { eventsInFile } from '../../support/operations/replayed.ts'
import { uniqueName } from '../../support/stack/stack.ts'

let source: ReplaySource
let here: RunCli
beforeAll(async () => {
  source = await openReplaySource(2)
  here = cliHere(source.where.env)
})
afterAll(() => source.close())

describe('records that cannot be decoded', () => {
  let broken: string
  let brokenTopic: string
  let first: number

  beforeAll(async () => {
    broken = source.where.domain.types[1] ?? ''
    brokenTopic = eventTopic(broken)
    const good = movedTo(`${broken}.odd`, (await recordsOfSource())[0])
    const foreign: LogRecord = { ...good, value: Buffer.from('no Avro') }
    const owner = new FencedLog(source.cluster, brokenTopic, 2)
    first = (await owner.takeOver()).endOffset
    await owner.append([good, good, foreign, good, { ...good, headers: [] }, good])
    owner.close()
  })

  const movedTo = (streamId: string, record: StoredRecord): LogRecord => ({
    ...record,
    key: Buffer.from(streamId),
    headers: record.headers.map(([name, value]) => [name, name === 'ce_subject' ? streamId : value]),
  })

  const recordsOfSource = async (): Promise<[StoredRecord]> => {
    const reader = new LogReader(source.cluster)
    const [partition] = source.log.filter(({ events }) => events.length > 0)
    return (await reader.fetchAt(source.topic, partition?.partition ?? 0, [
      partition?.events[0]?.offset ?? 0,
    ])) as [StoredRecord]
  }

  test('stop the replay at the first of them; all earlier events are written', async () => {
    const path = source.pathOf('broken.ndjson')
    const end = await here(['replay', broken, '--to-file', path])
    expect(end).toMatchObject({ exitCode: 1 })
    expect(end.stderr).toContain(`the record at ${brokenTopic}:2:${first + 2} cannot be decoded`)
    expect(end.stderr).toContain(`2 events were replayed, next is ${brokenTopic}:2:${first + 2}`)
    expect(eventsInFile(path)).toHaveLength(2)
    const resumed = await here(['replay', broken, '--to-file', path, '--resume', '--skip-unreadable'])
    expect(resumed).toMatchObject({ exitCode: 0 })
    expect(eventsInFile(path)).toHaveLength(4)
  })

  test('are skipped, counted and listed with --skip-unreadable', async () => {
    const end = await here(['replay', broken, '--skip-unreadable', '--dry-run', '--json'])
    expect(JSON.parse(end.stderr)).toMatchObject({
      ...{ events: 4, read: 6, unreadable: 2 },
      unreadableRecords: [
        {
          position: `${brokenTopic}:2:${first + 2}`,
          reason: expect.stringContaining('wire format') as string,
        },
        {
          position: `${brokenTopic}:2:${first + 4}`,
          reason: expect.stringContaining('no header ce_id') as string,
        },
      ],
    })
  })

  test('are copied to a topic unchanged', async () => {
    const copy = uniqueName('copy')
    const end = await here(['replay', broken, '--to-topic', copy, '--create', '--json'])
    expect(end.json()).toMatchObject({ events: 6, unreadable: 0 })
  })
})

describe('a replay is refused for', () => {
  const failed = async (exitCode: number, ...args: string[]): Promise<string> => {
    const end = await here(['replay', ...args])
    expect(end).toMatchObject({ exitCode, stdout: '' })
    expect(end.stderr).not.toContain('    at ')
    return end.stderr
  }

  test('an unknown aggregate type, and a stream of it', async () => {
    expect(await failed(1, 'no-such-type')).toContain(
      'topic eventstore.no-such-type does not exist in Kafka cluster ',
    )
    expect(await failed(1, '--stream', 'no-such-type.1')).toMatch(/topic \S+ does not exist/)
  })

  test('offsets and partitions out of range, and the error names the range', async () => {
    const end = source.log[1]?.endOffset ?? 0
    const range = `partition 1 of ${source.topic} has offsets from 0 to ${end}, exclusive`
    expect(await failed(2, source.type, '--from-offset', `1:${end + 1}`)).toContain(range)
    expect(await failed(2, source.type, '--until-offset', `1:${end + 1}`)).toContain(range)
    expect(await failed(2, source.type, '--from-offset', '4:0')).toContain(
      `${source.topic} has partitions 0 to 3`,
    )
    expect(await failed(2, source.type, '--partition', '9')).toContain(
      `${source.topic} has partitions 0 to 3`,
    )
    const streamId = source.streamOf(0)
    const other = (partitionFor(streamId, 4) + 1) % 4
    expect(await failed(2, '--stream', streamId, '--partition', String(other))).toContain('is in partition')
  })

  test.each([
    [['--from-offset', 'x'], 'expected partition:offset'],
    [['--from-offset', '1:2', '--from-offset', '1:3'], 'partition 1 is given twice'],
    [['--from-time', 'yesterday'], '--from-time "yesterday" is not a time'],
    [['--from-version', '1'], '--from-version and --until-version need --stream'],
    [['--rate', '0'], '--rate 0: expected a whole number from 1'],
    [['--parallel', '0'], '--parallel 0'],
    [['--format', 'xml'], 'Allowed choices are ndjson, cloudevents'],
    [['--resume'], 'set --checkpoint'],
    [['--create'], '--create needs --to-topic'],
    [['--dry-run', '--checkpoint', 'x'], 'a dry run stores no checkpoint'],
    [['--to-file', 'x', '--to-topic', 'y'], 'cannot be used with'],
    [['--to-file', 'x', '--resume', '--overwrite'], 'cannot be used with'],
    [['--to-topic', 'a b'], 'expected at most 249 letters, digits'],
    [['--to-file', 'a', '--checkpoint', './a'], 'that is the file for the events'],
    [['--stream', 'customer.1'], 'takes either an aggregate type or --stream'],
    [['--to-projection', 'p'], 'cannot be used with --to-projection'],
  ])('invalid options: %j', async (args, message) => {
    expect(await failed(2, source.type, ...args)).toContain(message)
  })

  test('options that a rebuild does not support, and neither type nor stream', async () => {
    expect(await failed(2)).toContain('takes either an aggregate type or --stream')
    expect(await failed(2, '--to-projection', 'p', '--from-version', '2')).toContain(
      '--from-version cannot be used',
    )
  })

  test('an unreachable Kafka or registry: exit code 3', async () => {
    const noKafka = await cliHere({ ...source.where.env, ANNALS_KAFKA_BROKERS: '127.0.0.1:1' })([
      'replay',
      source.type,
      '--timeout',
      '1',
    ])
    expect(noKafka).toMatchObject({ exitCode: 3 })
    expect(noKafka.stderr).toContain('connecting to Kafka at 127.0.0.1:1 failed')
    const noRegistry = await cliHere({ ...source.where.env, ANNALS_REGISTRY_URL: 'http://127.0.0.1:2' })([
      'replay',
      source.type,
    ])
    expect(noRegistry).toMatchObject({ exitCode: 3 })
    expect(noRegistry.stderr).toContain('127.0.0.1:2')
  })
})

describe('without the right', () => {
  let kafka: GuardedKafka
  beforeAll(async () => {
    kafka = await startGuardedKafka()
  }, 180_000)
  afterAll(() => kafka.stop())

  const copyTo = (copy: string, ...args: string[]) =>
    cliHere({ ...source.where.env, ANNALS_KAFKA_BROKERS: kafka.address })([
      ...['replay', source.type, '--to-topic', copy, '--timeout', '5', '--json', ...args],
    ])

  /** Creates a topic with one record in the guarded Kafka. */
  async function makeTopic(name: string): Promise<void> {
    const cluster = await KafkaCluster.connect({ brokers: [kafka.address], clientId: 'guarded' })
    await new Topics(cluster).ensure([{ name, partitions: 1, replication: 1, configs: {} }])
    const owner = new FencedLog(cluster, name, 0)
    await owner.takeOver()
    const key = Buffer.from('customer.1')
    await owner.append([{ key, value: Buffer.from('x'), headers: [], timestampMs: Date.now() }])
    await cluster.close()
  }

  test(
    'to read the source or to write to the target, a replay names the topic',
    { timeout: 180_000 },
    async () => {
      const copy = uniqueName('copy')
      await makeTopic(source.topic)
      await makeTopic(copy)
      const expectDenied = (topic: string, action: string) =>
        // A broker applies new rights after a moment.
        vi.waitFor(async () => {
          const end = await copyTo(copy)
          expect(end).toMatchObject({ exitCode: 1 })
          expect(end.stderr).toContain(action)
          expect(end.stderr).toContain(topic)
          expect(end.stderr).toContain('docs/operations/rights.md lists the required rights')
          expect(end.json()).toMatchObject({ error: { kafkaCode: 'TOPIC_AUTHORIZATION_FAILED' } })
        }, 40_000)
      await kafka.allow(copy, ['DESCRIBE', 'DESCRIBE_CONFIGS'])
      await expectDenied(copy, 'marker of epoch')
      await kafka.allow(source.topic, ['DESCRIBE'])
      await expectDenied(source.topic, 'reading')
      await kafka.allow(source.topic, ['READ'])
      await kafka.allow(copy, ['READ', 'WRITE'])
      await vi.waitFor(async () => expect(await copyTo(copy)).toMatchObject({ exitCode: 0 }), 40_000)
    },
  )

  test('to describe the source, a replay does not report it as missing', async () => {
    const hidden = { ...source.where.env, ANNALS_KAFKA_BROKERS: kafka.address }
    await makeTopic('eventstore.hidden')
    await kafka.allow('eventstore.hidden', [])
    await vi.waitFor(async () => {
      const end = await cliHere(hidden)(['replay', 'hidden', '--dry-run', '--timeout', '5'])
      expect(end).toMatchObject({ exitCode: 1 })
      expect(end.stderr).toContain('asking for topics eventstore.hidden failed: TOPIC_AUTHORIZATION_FAILED')
    }, 40_000)
  })
})
