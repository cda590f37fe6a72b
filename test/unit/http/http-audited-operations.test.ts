import { expect, test } from 'vitest'

import { typesOfOperations } from '#audit'

import { startAllRoutes } from '../../support/http/all-routes.ts'

test('every audited route has its own type in the audit trail, and every type has a route', async () => {
  const { routes, app } = await startAllRoutes()
  await app.close()
  const audited = routes
    .filter(({ config }) => typeof config?.access === 'object' && config.access.isAudited === true)
    .flatMap(({ method, url }) => [method].flat().map((each) => `${each} ${url}`))
  expect([...new Set(audited)].toSorted()).toEqual(Object.keys(typesOfOperations).toSorted())
})
