import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { expect, test } from 'vitest'

import { postgresForFile } from '../../support/projections/test-postgres.ts'
import {
  freshStream,
  purchase,
  runningProjector,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'
import { uniqueName, waitFor } from '../../support/stack/stack.ts'

interface Case {
  readonly events: readonly [{ readonly data: { readonly s: string } }]
}

const { events } = JSON.parse(readFileSync('test/cases/nul-in-view.json', 'utf8')) as Case
const text = events[0].data.s

const postgres = await postgresForFile()

/** A domain with one projection that puts the text into each view, and stops at an event it cannot store. */
function domainWithText(type: string, projection: string, folder: string): string {
  const moduleAt = (file: string): string => pathToFileURL(resolve(file)).href
  const path = join(folder, `${uniqueName('domain')}.ts`)
  writeFileSync(
    path,
    `import { defineProjection } from '${moduleAt('libs/domain/index.ts')}'
import { customer } from '${moduleAt('examples/customers/customer.ts')}'
const count = (view) => ({ text: ${JSON.stringify(text)}, count: view.count + 1 })
const projection = defineProjection({
  name: '${projection}', source: '${type}', keyedBy: 'stream', onError: 'stop',
  initialView: { text: '', count: 0 },
  on: { PurchaseMade: count },
  indexes: { count: (view) => view.count },
})
export default { aggregates: [{ ...customer, type: '${type}' }], projections: [projection], upcasters: [] }
`,
  )
  return path
}

test.each(['redis', 'postgres'])('U+0000 in a view does not stop its projection: %s', async (store) => {
  const where = testInstallation({
    ANNALS_PROJECTOR_STORE: store,
    ANNALS_PROJECTOR_POSTGRES_URL: postgres.url,
    ANNALS_PROJECTOR_AFTER_TIMEOUT: '30s',
  })
  const name = uniqueName('nul')
  const env = {
    ...where.env,
    ANNALS_DOMAIN: domainWithText(where.type, name, dirname(where.domain.modulePath)),
  }
  const { writer } = await runningWriter({ ...where, env })
  const { projector } = await runningProjector({ ...where, env })
  await waitFor('the projection to serve', async () =>
    (await projector.api.list()).some(({ serving }) => serving !== undefined),
  )
  const stream = freshStream(where.type)
  const key = stream.slice(where.type.length + 1)
  const { position } = await writer.api.append(stream, [purchase(1), purchase(2)])
  const { view } = await projector.api.view(name, key, { after: position, timeoutMs: 30_000 })
  expect(view).toEqual({ text, count: 2 })
})
