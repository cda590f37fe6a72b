import { fileURLToPath } from 'node:url'

import { ESLint, Linter } from 'eslint'
import { beforeAll, describe, expect, test } from 'vitest'

// Rules for one folder: each is tested on a line that it forbids.
const repository = fileURLToPath(new URL('../../../', import.meta.url))
const rules = ['no-restricted-globals', 'no-restricted-imports'] as const

type Rules = Record<string, Linter.RuleEntry>

/** The settings of these rules for a file, which need not exist. */
async function rulesFor(file: string): Promise<Rules> {
  const config = (await new ESLint({ cwd: repository }).calculateConfigForFile(file)) as { rules: Rules }
  return Object.fromEntries(rules.flatMap((name) => (config.rules[name] ? [[name, config.rules[name]]] : [])))
}

const brokenBy = (source: string, set: Rules): (string | null)[] =>
  new Linter().verify(source, [{ rules: set }]).map(({ ruleId }) => ruleId)

describe('libs/operations', () => {
  let set: Rules
  beforeAll(async () => {
    set = await rulesFor('libs/operations/backup/job.ts')
  }, 60_000)

  test.each([
    ['no-restricted-globals', 'process.exit(1)'],
    ['no-restricted-globals', 'export const pid = process.pid'],
    ['no-restricted-globals', `console.log('done')`],
    ['no-restricted-imports', `import { stdout } from 'node:process'`],
    ['no-restricted-imports', `import { pid } from 'process'`],
    ['no-restricted-imports', `import { isatty } from 'node:tty'`],
    ['no-restricted-imports', `import { cursorTo } from 'node:readline'`],
  ])('%s: no %s', (rule, source) => {
    expect(brokenBy(source, set)).toEqual([rule])
  })

  test('may use files, timers and abort signals', () => {
    const source = `import { open } from 'node:fs/promises'\nsetTimeout(() => open('x'), 1)\nexport const now = performance.now()`
    expect(brokenBy(source, set)).toEqual([])
  })
})

test('other folders and tests may use the process', async () => {
  expect(await rulesFor('libs/operations/backup/job.test.ts')).toEqual({})
  expect(await rulesFor('services/cli/run-cli.ts')).toEqual({})
})
