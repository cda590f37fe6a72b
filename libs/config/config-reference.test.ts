import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { format, resolveConfig } from 'prettier'
import { expect, test } from 'vitest'

import { configReference } from './config-reference.ts'
import { configSchema } from './config-schema.ts'
import { scriptVariables } from './script-variables.ts'
import { settingsOf } from './setting-tree.ts'

const repository = fileURLToPath(new URL('../../', import.meta.url))

test('docs/configuration.md is current (npm run docs:config writes it)', async () => {
  const filepath = `${repository}docs/configuration.md`
  const expected = await format(configReference(), { ...(await resolveConfig(filepath)), filepath })
  expect(readFileSync(filepath, 'utf8')).toBe(expected)
})

test('every variable named in the scripts and tests is known', () => {
  const files = globSync('{scripts,test}/**/*.{ts,sh,yml}', { cwd: repository })
  const named = files.flatMap(
    (file) => readFileSync(`${repository}${file}`, 'utf8').match(/ANNALS_[A-Z_]+[A-Z]/g) ?? [],
  )
  const known = [...scriptVariables, ...settingsOf(configSchema).map(({ setting }) => setting.env)]
  expect([...new Set(named)].filter((name) => !known.includes(name))).toEqual([])
})
