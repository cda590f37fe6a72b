import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Nodes } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { expect, test } from 'vitest'

import { repository } from '../../../scripts/stack/index.ts'
import { documentedPages, nodesOf, readPage } from '../../support/docs/docs-blocks.ts'

const textOf = (node: Nodes): string =>
  'value' in node ? node.value : 'children' in node ? node.children.map(textOf).join('') : ''

/** The anchor that GitHub derives from a heading: https://github.com/Flet/github-slugger */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
    .replaceAll(' ', '-')

const parsed = new Map(
  documentedPages().map((page) => [page, [...nodesOf(fromMarkdown(readPage(page)))]] as const),
)

const hasAnchor = (page: string, anchor: string): boolean =>
  parsed.get(page)?.some((node) => node.type === 'heading' && anchorOf(textOf(node)) === anchor) ?? true

interface Link {
  readonly page: string
  readonly line: number
  readonly url: string
}

const links: readonly Link[] = [...parsed].flatMap(([page, nodes]) =>
  nodes.flatMap((node) =>
    node.type === 'link' && !/^[a-z]+:/.test(node.url)
      ? [{ page, line: node.position?.start.line ?? 0, url: node.url }]
      : [],
  ),
)

function isBroken({ page, url }: Link): boolean {
  const [path = '', anchor] = url.split('#')
  const target = path === '' ? page : relative(repository, join(repository, dirname(page), path))
  if (!existsSync(join(repository, target))) return true
  return anchor !== undefined && !hasAnchor(target, anchor)
}

test('every link of a page leads to an existing file and heading', () => {
  expect(links.length).toBeGreaterThan(100)
  expect(links.filter(isBroken)).toEqual([])
})

test('every page of the docs is in the table of contents', () => {
  const listed = links.filter(({ page }) => page === 'docs/README.md').map(({ url }) => `docs/${url}`)
  const pages = [...parsed.keys()].filter((page) => /^docs\/(?!README|decisions)/.test(page))
  expect(pages.filter((page) => !listed.includes(page))).toEqual([])
})
