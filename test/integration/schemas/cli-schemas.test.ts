import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { cliHere } from '../../support/cli/cli-here.ts'
import type { RunCli } from '../../support/cli/cli.ts'
import { type FreshDomain, freshDomain } from '../../support/services/fresh-domain.ts'
import { testStack } from '../../support/stack/stack.ts'

let domain: FreshDomain
let annals: RunCli
let type: string
const env = () => ({
  ANNALS_DOMAIN: domain.modulePath,
  ANNALS_SCHEMAS: domain.schemaFolder,
  ANNALS_REGISTRY_URL: testStack().registryUrl,
})
beforeEach(() => {
  domain = freshDomain()
  annals = cliHere(env())
  type = domain.types[0] ?? ''
})
afterEach(() => domain.remove())

const file = (name: string, folder = type) => join(domain.schemaFolder, folder, name)

test('schemas are checked, released, checked again, and pushed once', async () => {
  const unreleased = await annals(['schemas', 'check'])
  expect(unreleased.exitCode).toBe(1)
  expect(unreleased.stdout).toContain(
    `${file('PurchaseMade.v1.avsc')}: it is not released yet. Run \`./annals schemas release\`.`,
  )

  const { lifetime, monthly } = domain.projections
  const released = (await annals(['schemas', 'release', '--json'])).json()
  expect(released).toEqual({
    problems: [],
    released: [
      file('CustomerState.v1.avsc'),
      file('PurchaseMade.v1.avsc'),
      file('CustomerLifetime.v1.avsc', lifetime),
      file('MonthlyRevenue.v1.avsc', monthly),
    ],
    written: [type, lifetime, monthly].map((folder) => file('events.generated.ts', folder)),
  })
  expect((await annals(['schemas', 'check', '--json'])).json()).toEqual({
    problems: [],
    folders: [{ folder: domain.schemaFolder, versions: 4 }],
  })

  const news = async () => {
    const { pushed } = (await annals(['schemas', 'push', '--json'])).json()
    return (pushed as { isNew: boolean }[]).map(({ isNew }) => isNew)
  }
  expect(await news()).toEqual([true, true, true, true])
  expect(await news()).toEqual([false, false, false, false])
})

test('deleted types are generated again', async () => {
  await annals(['schemas', 'types'])
  const generated = readFileSync(file('events.generated.ts'), 'utf8')
  rmSync(file('events.generated.ts'))
  expect((await annals(['schemas', 'types', '--json'])).json()).toEqual({
    written: [file('events.generated.ts')],
  })
  expect(readFileSync(file('events.generated.ts'), 'utf8')).toBe(generated)
  expect((await annals(['schemas', 'types'])).stdout).toContain('types are up to date')
})

test('--json reports problems as one JSON document', async () => {
  const { exitCode, json } = await annals(['schemas', 'check', '--json'])
  expect(exitCode).toBe(1)
  expect(json()['problems']).toContainEqual(
    expect.objectContaining({ file: file('PurchaseMade.v1.avsc'), message: 'it is not released yet' }),
  )
})

test('an unreachable registry is named: exit code 3', async () => {
  const unreachable = cliHere({ ...env(), ANNALS_REGISTRY_URL: 'http://127.0.0.1:1' })
  const { exitCode, stderr } = await unreachable(['schemas', 'push'])
  expect(exitCode).toBe(3)
  expect(stderr).toContain('the schema registry at http://127.0.0.1:1')
})

test('a missing folder or domain module is named', async () => {
  const folder = await cliHere({ ...env(), ANNALS_SCHEMAS: '/nowhere' })(['schemas', 'check'])
  expect(folder).toMatchObject({ exitCode: 1, stdout: '' })
  expect(folder.stderr).toContain('schema folder /nowhere does not exist')
  const module = await cliHere({ ...env(), ANNALS_DOMAIN: '/nowhere.ts' })(['schemas', 'check'])
  expect(module.exitCode).toBe(2)
  expect(module.stderr).toContain('domain module /nowhere.ts cannot be loaded')
})
