import { afterAll, describe, expect, test } from 'vitest'

import { blocksOf, type CodeBlock, documentedPages, placeOf } from '../../support/docs/docs-blocks.ts'
import { codeOf, isPartOfProgram } from '../../support/docs/docs-programs.ts'
import { docsSandbox } from '../../support/docs/docs-sandbox.ts'
import { typeErrors } from '../../support/docs/docs-types.ts'
import { runProgram } from '../../support/docs/docs-walk.ts'
import { walkedPages } from '../../support/docs/docs-walked-pages.ts'

const sandbox = docsSandbox()
afterAll(() => sandbox.remove())

const languages = ['ts', 'sh', 'json', 'sql', 'yaml', 'text']
const pages = documentedPages().map((page) => {
  const blocks = blocksOf(page)
  return { page, blocks, ...codeOf(page, blocks) }
})

/** Whether a block is run somewhere, so that what it prints can be shown. */
const isRun = (block: CodeBlock): boolean =>
  isPartOfProgram(block) ||
  (block.language === 'sh' && block.notRun === undefined && walkedPages.includes(block.page))

/** What is wrong with how a block is marked: code that nothing looks at would rot. */
function faultOf(block: CodeBlock, before: CodeBlock | undefined): string | undefined {
  const { language, notRun, isOutput } = block
  if (!languages.includes(language)) return `expected a language after the fence: ${languages.join(', ')}`
  if (notRun === '') return 'not-run wants a reason: not-run="…"'
  if (isOutput && (before === undefined || !isRun(before)))
    return 'output, but the block before it is not run'
  if (language === 'sh' && notRun === undefined && !isRun(block))
    return 'commands that no test types: say why by not-run="…"'
  return undefined
}

test('every block says what it is, and code that is not run says why', () => {
  const faults = pages.flatMap(({ blocks }) =>
    blocks.flatMap((block, index) => {
      const fault = faultOf(block, blocks[index - 1])
      return fault === undefined ? [] : [`${placeOf(block)}: ${fault}`]
    }),
  )
  expect(faults).toEqual([])
})

test('the TypeScript of all pages is as strict as that of the sources', { timeout: 120_000 }, () => {
  // The types of getting-started's events are made on its way: test/e2e/docs-code.test.ts looks at it.
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
  test.each(alone.map(({ page }) => page))('%s', { timeout: 30_000 }, async (page) => {
    await runProgram(page, { sandbox, env: {}, annalsEnv: {}, ports: {} })
  })
})
