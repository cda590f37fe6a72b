import { afterAll, describe, expect, test } from 'vitest'

import { blocksOf, type CodeBlock, documentedPages, placeOf } from '../../support/docs/docs-blocks.ts'
import { codeOf, isPartOfProgram } from '../../support/docs/docs-programs.ts'
import { docsSandbox } from '../../support/docs/docs-sandbox.ts'
import { typeErrors } from '../../support/docs/docs-types.ts'
import { runProgram } from '../../support/docs/docs-walk.ts'
import { securePage, walkedPages } from '../../support/docs/docs-walked-pages.ts'

const sandbox = docsSandbox()
afterAll(() => sandbox.remove())

const languages = ['ts', 'sh', 'json', 'sql', 'yaml', 'text']
const pages = documentedPages().map((page) => {
  const blocks = blocksOf(page)
  return { page, blocks, ...codeOf(page, blocks) }
})

/** Whether some test runs the block, so that its output can be shown. */
const isRun = (block: CodeBlock): boolean =>
  isPartOfProgram(block) ||
  (block.language === 'sh' && block.notRun === undefined && [...walkedPages, securePage].includes(block.page))

/** The problem with a block's info string, if any. Code that nothing checks would rot. */
function faultOf(block: CodeBlock, before: CodeBlock | undefined): string | undefined {
  const { language, notRun, isOutput } = block
  if (!languages.includes(language)) return `expected a language after the fence: ${languages.join(', ')}`
  if (notRun === '') return 'not-run needs a reason: not-run="…"'
  if (isOutput && (before === undefined || !isRun(before))) return 'output follows a block that is not run'
  if (language === 'sh' && notRun === undefined && !isRun(block))
    return 'no test runs these commands: give the reason as not-run="…"'
  return undefined
}

test('every block has an info string, and code that is not run gives a reason', () => {
  const faults = pages.flatMap(({ blocks }) =>
    blocks.flatMap((block, index) => {
      const fault = faultOf(block, blocks[index - 1])
      return fault === undefined ? [] : [`${placeOf(block)}: ${fault}`]
    }),
  )
  expect(faults).toEqual([])
})

test('the TypeScript of all pages passes the same strict checks as the sources', { timeout: 120_000 }, () => {
  // The event types of getting-started are generated as it runs: test/e2e/docs-code.test.ts checks that page.
  const known = pages.filter(({ page }) => page !== 'docs/getting-started.md')
  const files = known.flatMap(({ files: own, program }) => [
    ...own,
    ...(program === undefined ? [] : [program]),
  ])
  for (const { file, code } of files) sandbox.write(file, code)
  expect(
    typeErrors(
      sandbox.root,
      files.filter(({ file }) => file.endsWith('.ts')),
    ),
  ).toEqual([])
})

describe('a page that needs no platform runs', () => {
  const alone = pages.filter(({ program }) => program?.isLive === false)
  test.each(alone)('$page', { timeout: 30_000 }, async ({ page, files }) => {
    for (const { file, code } of files) sandbox.write(file, code)
    await runProgram(page, { sandbox, env: {}, annalsEnv: {}, ports: {} })
  })
})
