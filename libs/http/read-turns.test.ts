import Fastify from 'fastify'
import { expect, test } from 'vitest'

import { requestTurns } from '#bounds'

import { takeReadsInTurns } from './read-turns.ts'

test('a bounded number of reads waits for a turn; a further one is rejected, a change is not', async () => {
  const app = Fastify()
  app.setErrorHandler((error, _request, reply) => reply.code(503).send(error))
  takeReadsInTurns(app, 2)
  app.get('/read', () => ({}))
  app.post('/change', () => ({}))
  await app.ready()
  // The turn is used up, so later requests wait for the next one.
  const untilMs = performance.now() + 6
  requestTurns.queue(() => {
    while (performance.now() < untilMs);
  })
  const answers = await Promise.all([
    ...Array.from({ length: 4 }, () => app.inject('/read')),
    app.inject({ method: 'POST', url: '/change' }),
  ])
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 503, 503, 200])
  expect(answers[2]?.json()).toMatchObject({
    message: expect.stringContaining('2 requests are waiting') as string,
  })
  expect(await app.inject('/read')).toMatchObject({ statusCode: 200 })
})
