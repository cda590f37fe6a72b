import type { Command } from 'commander'
import { expect, test } from 'vitest'

import type { StreamId } from '#domain'
import { matcherOf } from '#event-log'
import { planRead } from '#event-store'

import { programOf } from '../../../services/cli/run-cli.ts'
import { callableWriter } from '../../support/http/http-call.ts'
import { servedProjections } from '../../support/projections/projections-fixture.ts'

const noTimes = ['2013-02-30', '2025-02-29T12:00:00Z', '2026-01-31T24:00:00Z', '2026-01-31T12:00:00', 'noon']

const program = programOf({ env: {}, isJson: false, report: () => undefined })

const optionsOf = (
  command: Command,
  path: readonly string[] = [],
): (readonly [string, Command['options'][number]])[] => [
  ...command.options.map((option) => [[...path, option.long].join(' '), option] as const),
  ...command.commands.flatMap((each) => optionsOf(each, [...path, each.name()])),
]

const timeOptions = optionsOf(program).filter(([, { flags }]) => /<(time|date)>/.test(flags))

test('the list of commands that accept a time is complete', () => {
  expect(timeOptions.map(([name]) => name).toSorted()).toEqual([
    'audit --since',
    'audit --until',
    'export --from-time',
    'export --until-time',
    'projection rebuild --until-time',
    'replay --from-time',
    'replay --until-time',
    'restore --until',
    'stream history --from',
    'stream history --until',
    'stream state --at',
  ])
})

test.each(timeOptions)('%s accepts only existing times', (_, option) => {
  for (const text of noTimes) {
    const read = (): unknown => option.parseArg?.(text, undefined)
    expect(read, text).toThrow(`${option.long} "${text}" is not a time`)
  }
  const read = (): unknown => option.parseArg?.('2024-02-29', undefined)
  expect(read).not.toThrow()
})

test.each(noTimes)('%s is rejected as a bound of a stream or a category', (text) => {
  for (const bound of ['from', 'until']) {
    const refused = expect.objectContaining({ code: 'invalid-request', details: { path: bound } }) as Error
    expect(() => planRead({ [bound]: text })).toThrow(refused)
    expect(() => matcherOf({ [bound]: text })).toThrow(refused)
  }
})

test.each(noTimes)('%s is rejected over HTTP, with the parameter name', async (text) => {
  const { api, call } = await callableWriter()
  await api.append('order.1' as StreamId, [{ type: 'OrderPlaced', data: {} }])
  const projections = await servedProjections()
  const time = encodeURIComponent(text)
  const answers = [
    await call('GET', `/streams/order.1/events?from=${time}`),
    await call('GET', `/streams/order.1/events?until=${time}`),
    await call('GET', `/streams/order.1/state?at=${time}`),
    await projections.call('POST', '/projections/customer-lifetime/rebuild', { untilTime: text }),
  ]
  expect(answers.map(({ status, body }) => [status, body['code'], body['path']])).toEqual(
    ['from', 'until', 'at', 'untilTime'].map((path) => [400, 'invalid-request', path]),
  )
})
