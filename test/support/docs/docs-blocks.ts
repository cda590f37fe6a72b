import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Nodes } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'

import { repository } from '../../../scripts/stack/index.ts'

/** A fenced block of a page, and its info string's settings, which CONTRIBUTING.md lists. */
export interface CodeBlock {
  /** Path in the repository. */
  readonly page: string
  /** The line of its opening fence, from 1. */
  readonly line: number
  /** Empty if the fence names none. */
  readonly language: string
  readonly code: string
  /** `file=…`: the block is this file. */
  readonly file?: string
  /** `exit=…`: the exit code of its commands; default 0. */
  readonly exitCode: number
  /** `output`: the block is the output of the block before it. */
  readonly isOutput: boolean
  /** `not-run="…"`: why it is not run. */
  readonly notRun?: string
}

/** All pages except the generated reference, which has its own test. */
export function documentedPages(): readonly string[] {
  const patterns = ['*.md', 'docs/**/*.md', 'examples/*/README.md']
  return globSync(patterns, { cwd: repository, exclude: ['docs/reference/**'] }).toSorted()
}

/** The blocks of a page, in order. @throws Error naming page and line of an unknown word in an info string */
export function blocksOf(page: string, markdown = readPage(page)): readonly CodeBlock[] {
  return [...nodesOf(fromMarkdown(markdown))].flatMap((node) => {
    if (node.type !== 'code') return []
    const line = node.position?.start.line ?? 0
    return [{ page, line, language: node.lang ?? '', code: node.value, ...readInfo(page, line, node.meta) }]
  })
}

/** A page's text. */
export const readPage = (page: string): string => readFileSync(join(repository, page), 'utf8')

/** A node and all its descendants. */
export function* nodesOf(node: Nodes): Generator<Nodes> {
  yield node
  if ('children' in node) for (const child of node.children) yield* nodesOf(child)
}

/** `docs/guide/domain.md:12`, as editors open it. */
export const placeOf = ({ page, line }: Pick<CodeBlock, 'page' | 'line'>): string => `${page}:${line}`

type Info = Pick<CodeBlock, 'file' | 'exitCode' | 'isOutput' | 'notRun'>

function readInfo(page: string, line: number, info: string | null | undefined): Info {
  const words = new Map<string, string>()
  for (const [, name = '', quoted, bare] of (info ?? '').matchAll(/([^\s=]+)(?:=(?:"([^"]*)"|(\S+)))?/g)) {
    if (!['file', 'exit', 'output', 'not-run'].includes(name))
      throw new Error(`${placeOf({ page, line })}: ${name} is not known: see CONTRIBUTING.md`)
    words.set(name, quoted ?? bare ?? '')
  }
  const file = words.get('file')
  const notRun = words.get('not-run')
  return {
    exitCode: Number(words.get('exit') ?? 0),
    isOutput: words.has('output'),
    ...(file !== undefined && { file }),
    ...(notRun !== undefined && { notRun }),
  }
}
