import { existsSync } from 'node:fs'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { aggregateIdOf } from '#domain'

import { cliHere } from '../../support/cli/cli-here.ts'
import { startCli } from '../../support/cli/cli-process.ts'
import type { RunCli } from '../../support/cli/cli.ts'
import { startRealProjector } from '../../support/services/real-projector.ts'
import {
  eventsEach,
  openReplaySource,
  type ReplaySource,
  streams,
} from '../../support/operations/replay-source.ts'
import { eventsIn, eventsInFile, positionsOf, type ReplayedEvent } from '../../support/operations/replayed.ts'
import { uniqueName } from '../../support/stack/stack.ts'

let source: ReplaySource
/** Runs in this process: faster than a separate process with its own standard output. */
let here: RunCli
beforeAll(async () => {
  source = await openReplaySource()
  here = cliHere(source.where.env)
})
afterAll(() => source.close())

async function replayed(...args: readonly string[]): Promise<string[]> {
  const path = source.pathOf(uniqueName('events'))
  expect(await here(['replay', ...args, '--to-file', path])).toMatchObject({ exitCode: 0 })
  return positionsOf(eventsInFile(path))
}

describe('a replay writes', () => {
  test('all events, in the order of their partitions, in the format of the HTTP API', async () => {
    const end = await source.annals(['replay', source.type])
    expect(end.exitCode).toBe(0)
    expect(positionsOf(eventsIn(end.stdout))).toEqual(source.all)
    expect(end.stdout.split('\n').slice(0, -1).toSorted()).toEqual(source.answered.toSorted())
    expect(end.stderr).toContain(`Replayed 1,200 events to standard output of ${source.topic}`)
  })

  test('one stream, from a version, through a version', async () => {
    const streamId = source.streamOf(3)
    expect(await replayed('--stream', streamId)).toEqual(source.inLog((event) => event.streamId === streamId))
    expect(await replayed('--stream', streamId, '--from-version', '10', '--until-version', '12')).toEqual(
      source.inLog(({ streamId: own, version }) => own === streamId && version >= 10 && version <= 12),
    )
  })

  test('from offsets, before offsets, some partitions', async () => {
    const end = source.log[1]?.endOffset ?? 0
    const asked = [
      '--partition',
      '1',
      '--partition',
      '2',
      '--from-offset',
      '1:20',
      '--until-offset',
      `1:${end - 5}`,
    ]
    expect(await replayed(source.type, ...asked)).toEqual(
      source.inLog(
        ({ offset }, partition) => partition === 2 || (partition === 1 && offset >= 20 && offset < end - 5),
      ),
    )
  })

  test('from a time, before a time', async () => {
    const isFirst = ({ timestamp }: { timestamp: string }) => timestamp < source.middle
    expect(await replayed(source.type, '--until-time', source.middle)).toEqual(source.inLog(isFirst))
    expect(await replayed(source.type, '--from-time', source.middle)).toEqual(
      source.inLog((event) => !isFirst(event)),
    )
    expect(source.inLog(isFirst)).toHaveLength((streams * eventsEach) / 2)
  })

  test('by type, by pattern of the whole stream id, by correlation id', async () => {
    expect(await replayed(source.type, '--type', 'PurchaseMade')).toEqual(source.all)
    expect(await replayed(source.type, '--stream-pattern', `${source.type}.even.?`)).toEqual(
      source.inLog(({ streamId }) => /\.even\.\d$/.test(streamId)),
    )
    expect(await replayed(source.type, '--stream-pattern', '*.odd*9')).toEqual(
      source.inLog(({ streamId }) => /\.odd.*9$/.test(streamId)),
    )
    expect(await replayed(source.type, '--correlation-id', 'second')).toEqual(
      source.inLog(({ metadata }) => metadata.correlationId === 'second'),
    )
  })

  test('nothing for a type without a schema or a pattern that matches no stream: both are refused', async () => {
    const refused = async (...args: readonly string[]) => {
      const end = await here(['replay', source.type, ...args])
      expect(end).toMatchObject({ exitCode: 2, stdout: '' })
      return end.stderr
    }
    expect(await refused('--type', 'PurchaseMad')).toContain('did you mean PurchaseMade?')
    expect(await refused('--stream-pattern', 'odd.*')).toContain(`'${source.type}.odd.*'`)
  })

  test('CloudEvents, one per line', async () => {
    const streamId = source.streamOf(0)
    const end = await source.annals([
      'replay',
      '--stream',
      streamId,
      '--format',
      'cloudevents',
      '--until-version',
      '1',
    ])
    const event = JSON.parse(
      source.answered.find((line) => line.includes(`"${streamId}"`)) ?? '',
    ) as ReplayedEvent
    expect(JSON.parse(end.stdout)).toEqual({
      specversion: '1.0',
      id: event.id,
      type: 'PurchaseMade',
      source: 'urn:annals',
      subject: streamId,
      time: event.timestamp,
      datacontenttype: 'application/json',
      streamversion: 1,
      position: event.position,
      correlationid: 'first',
      data: { date: '1997-01-12', cds: 1, amount: '12.50' },
    })
  })

  test('nothing in a dry run, which only counts', async () => {
    const path = source.pathOf('dry.ndjson')
    const end = await here([
      'replay',
      source.type,
      '--to-file',
      path,
      '--correlation-id',
      'first',
      '--dry-run',
      '--json',
    ])
    expect(end.json()).toMatchObject({ end: 'done', dryRun: true, events: 600, read: 1_200 })
    expect(existsSync(path)).toBe(false)
    expect(existsSync(`${path}.checkpoint`)).toBe(false)
    const copy = await here(['replay', source.type, '--to-topic', uniqueName('copy'), '--dry-run'])
    expect(copy.stdout).toContain('Would replay 1,200 events')
  })

  test('until its reader closes the pipe, without an error', async () => {
    const { process: child, ended } = startCli(source.where.env, ['replay', source.type])
    child.stdout.once('data', () => child.stdout.destroy())
    expect(await ended).toMatchObject({ exitCode: 0, stderr: '' })
  })

  test('at the given rate, with progress', async () => {
    const startMs = performance.now()
    const end = await here([
      'replay',
      source.type,
      '--rate',
      '150',
      '--to-file',
      source.pathOf('slow.ndjson'),
    ])
    const seconds = (performance.now() - startMs) / 1_000
    expect(seconds).toBeGreaterThan(7.6)
    // The first line is printed after half a second, perhaps before any progress; the second one five seconds later.
    expect(end.stderr).toMatch(/^\d+ % \([\d,]+ of [\d,]+\), [\d,]+\/s, \d+ s left$/m)
    expect(end.stdout).toContain('Replayed 1,200 events')
  })
})

test('a replay to a projection rebuilds its views, or builds them as of a time', async () => {
  const projector = await startRealProjector(source.where)
  try {
    const { lifetime } = source.where.domain.projections
    const args = ['replay', '--to-projection', lifetime, '--url', projector.url]
    const end = await here(args)
    expect(end).toMatchObject({ exitCode: 0 })
    expect(end.stdout).toContain(`${lifetime} is rebuilt`)
    const then = await here([...args, '--until-time', source.middle, '--json'])
    expect(then.json()).toMatchObject({ projection: lifetime, end: 'done', status: 'kept' })
    const generation = String(then.json()['generation'])
    const view = await here([
      ...['projection', 'view', lifetime, aggregateIdOf(source.streamOf(1)), '--generation', generation],
      ...['--url', projector.url, '--json'],
    ])
    expect(view.json()).toMatchObject({ view: { purchases: eventsEach / 2 } })
  } finally {
    await projector.close()
  }
})

test('a replay does not change its source', async () => {
  expect(await source.readLog()).toEqual(source.log)
})
