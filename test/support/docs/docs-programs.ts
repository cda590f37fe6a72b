import { type CodeBlock, readPage } from './docs-blocks.ts'
import type { DocsFile } from './docs-types.ts'

/** A page's code: separate files, and all other TypeScript, in order, as one program. */
interface PageCode {
  readonly files: readonly (DocsFile & { readonly code: string })[]
  readonly program?: DocsFile & {
    readonly code: string
    /** Whether it needs a running platform. */
    readonly isLive: boolean
  }
}

/** Marks the line in a program's output where the output of a block begins. */
const mark = '\u0001'

/** @param page path in the repository. @param blocks all blocks of the page */
export function codeOf(page: string, blocks: readonly CodeBlock[]): PageCode {
  const files = blocks.flatMap(({ file, code, line }) =>
    file === undefined ? [] : [{ file, page, linesBefore: line, code }],
  )
  const parts = blocks.filter(isPartOfProgram)
  if (parts.length === 0) return { files }
  const code = joined(page, parts)
  const file = `${page.replaceAll(/[/.]/g, '-')}.ts`
  return { files, program: { file, page, linesBefore: 0, code, isLive: code.includes(`'#client'`) } }
}

/** Whether a block is part of its page's program. */
export const isPartOfProgram = ({ language, file, notRun, isOutput }: CodeBlock): boolean =>
  language === 'ts' && file === undefined && notRun === undefined && !isOutput

/** The output of each block of a program, by the line of its fence. */
export function printedByBlock(output: string): ReadonlyMap<number, string> {
  const parts = output.split(mark).slice(1)
  return new Map(parts.map((part) => [Number.parseInt(part), part.slice(part.indexOf('\n') + 1)]))
}

/** Keeps every line at its line number in the page. The marks replace the fences. */
function joined(page: string, blocks: readonly CodeBlock[]): string {
  const lines = readPage(page).split('\n').fill('')
  for (const { line, code } of blocks) {
    lines[line - 1] = `;console.log(${JSON.stringify(`${mark}${line}`)})`
    lines.splice(line, code.split('\n').length, ...code.split('\n'))
  }
  return lines.join('\n')
}
