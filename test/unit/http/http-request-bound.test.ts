import { expect, test } from 'vitest'

import { bareServer } from '../../support/http/bare-server.ts'
import { callerOf } from '../../support/http/http-call.ts'

test('changes beyond the bound are rejected at once with Retry-After; reads pass, and so do later changes', async () => {
  const app = await bareServer({ requestsMax: 2 })
  const release = Promise.withResolvers<undefined>()
  const arrived = Promise.withResolvers<undefined>()
  let waiting = 0
  app.post('/slow', { config: { access: 'public' } }, async () => {
    if (++waiting === 2) arrived.resolve(undefined)
    await release.promise
    return {}
  })
  const call = callerOf(await app.listen({ host: '127.0.0.1', port: 0 }))
  const slow = [call('POST', '/slow', {}), call('POST', '/slow', {})]
  await arrived.promise

  const refused = await call('POST', '/slow', {})
  expect(refused).toMatchObject({ status: 503, body: { code: 'overloaded', retry: 'same-ids' } })
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(await call('GET', '/health/live')).toMatchObject({ status: 200 })

  release.resolve(undefined)
  expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200])
  expect(await call('POST', '/slow', {})).toMatchObject({ status: 200 })
})
