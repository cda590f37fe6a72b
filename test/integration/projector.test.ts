import { expect, test } from 'vitest'

import type { Totals } from '../../examples/customers/totals.ts'
import { waitFor } from '../support/stack.ts'
import {
  freshStream,
  purchase,
  runningProjector,
  runningWriter,
  testInstallation,
} from '../support/writer-fixture.ts'

test('views by stream and across streams follow what is appended, and a token waits for it', async () => {
  const where = testInstallation()
  const writer = await runningWriter(where)
  const projector = await runningProjector(where)
  await waitFor('the writer to serve', () => Promise.resolve(writer.writer.checkServing().owned > 0))
  const { lifetime, monthly } = where.domain.projections
  const stream = freshStream(where.type)
  const key = stream.slice(where.type.length + 1)

  const { position } = await writer.writer.api.append(stream, [purchase(1), purchase(2)])
  const { api } = projector.projector
  expect(await api.view(lifetime, key, { after: position })).toMatchObject({
    key,
    view: { purchases: 2, cds: 3, spend: '25.00' } satisfies Partial<Totals>,
  })
  expect((await api.view(monthly, '1997-01', { after: position })).view).toEqual({
    purchases: 2,
    cds: 3,
    revenue: '25.00',
  })
})
