import { test } from 'vitest'

import { type FailingCase, failingServers } from '../../support/failing-servers/failing-server.ts'
import { httpCases } from '../../support/failing-servers/http-cases.ts'
import { postgresCases } from '../../support/failing-servers/postgres-cases.ts'
import { redisCases } from '../../support/failing-servers/redis-cases.ts'
import { expectNothingUncaught } from '../../support/failing-servers/uncaught.ts'

test.each<[string, readonly FailingCase[]]>([
  ['postgres', postgresCases],
  ['redis', redisCases],
  ['http', httpCases],
])(
  'a %s server that fails at any step causes no uncaught error and no hanging call',
  async (kind, cases) => {
    await expectNothingUncaught(kind, await failingServers(cases))
  },
  180_000,
)
