import { describe, expect, test } from 'vitest'

import { createLogger, type LoggerOptions } from './logger.ts'

/** A logger and the lines that it wrote. */
function recorded(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const logger = createLogger({ name: 'writer', pretty: false, destination, ...options })
  return { logger, lines, entry: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> }
}

test('a line is JSON with level, time, service, message and fields', () => {
  const { logger, lines, entry } = recorded()
  logger.info({ partition: 3 }, 'took over')
  expect(lines).toHaveLength(1)
  expect(entry()).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    name: 'writer',
    partition: 3,
    msg: 'took over',
  })
})

test('entries below the level are not written', () => {
  const { logger, lines } = recorded({ level: 'warn' })
  logger.info('no')
  logger.warn('yes')
  expect(lines).toHaveLength(1)
})

describe('secrets', () => {
  test.each([
    [{ password: 'hidden' }],
    [{ config: { sasl: { username: 'u', password: 'hidden' } } }],
    [{ kafka: { sasl: 'hidden' } }],
    [{ headers: { authorization: 'hidden' } }],
    [{ request: { headers: { authorization: 'hidden', cookie: 'hidden' } } }],
    [{ config: { registry: { auth: { password: 'hidden' } } } }],
    [{ url: 'redis://default:hidden@redis:6379' }],
    [{ deep: { in: { an: { array: [{ at: 'https://u:hidden@host/path' }] } } } }],
    [{ err: new Error('cannot reach http://u:hidden@registry/subjects') }],
  ])('are not logged: %j', (fields) => {
    const { logger, lines, entry } = recorded()
    logger.warn(fields, 'trouble')
    expect(lines.join('')).not.toContain('hidden')
    expect(entry()).toMatchObject({ msg: 'trouble' })
  })

  test('are not logged in messages', () => {
    const { logger, entry } = recorded()
    logger.info('connecting to redis://default:hidden@redis:6379/0 as ada@example.com')
    expect(entry()['msg']).toBe('connecting to redis://***@redis:6379/0 as ada@example.com')
  })

  test('are not logged by children', () => {
    const { logger, lines } = recorded()
    logger.child({ password: 'hidden' }).info('child')
    expect(lines.join('')).not.toContain('hidden')
  })
})

test('an error is logged with message and stack', () => {
  const { logger, entry } = recorded()
  logger.error({ err: new Error('broken') }, 'failed')
  expect(entry()).toMatchObject({ err: { type: 'Error', message: 'broken' } })
})

test('pretty lines are readable, and hide secrets too', () => {
  const { logger, lines } = recorded({ pretty: true })
  logger.info({ password: 'hidden', partition: 3 }, 'took over redis://u:hidden@redis')
  const text = lines.join('')
  expect(text).toContain('took over redis://***@redis')
  expect(text).toContain('partition')
  expect(text).not.toContain('hidden')
  expect(() => JSON.parse(text) as unknown).toThrow()
})

test('without a terminal, lines are JSON by default', () => {
  const { logger, entry } = recorded({ pretty: 'auto' })
  logger.info('hello')
  expect(entry()['msg']).toBe('hello')
})
