// npm run faults:page -- FILE...: results of `npm run faults -- --json FILE` as tables in Markdown, for docs/reliability.md
import { readFileSync } from 'node:fs'

import type { SeedResult } from '../seed-result.ts'
import { faultCells, faultHead } from './fault-table.ts'

const seedHead = [
  'seed',
  'faults',
  'operations',
  'acknowledged',
  'refused',
  'unknown',
  'progress',
  'violations',
]

function seedCells({ seed, injections, counts, progress, violations, failure }: SeedResult): string[] {
  const { operations, acknowledged, refused, unknown } = counts
  const verdict = failure ?? String(violations.length)
  return [
    ...[seed, injections.length, operations, acknowledged, refused, unknown].map(String),
    `${Math.round(100 * progress)} %`,
    verdict,
  ]
}

const row = (cells: readonly (string | number)[]): string =>
  `| ${cells.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en-US') : cell)).join(' | ')} |`

const markdownTable = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

const files = process.argv.slice(2)
if (files.length === 0) {
  process.stderr.write(
    'Usage: npm run faults:page -- FILE...   the files of `npm run faults -- --json FILE`\n',
  )
  process.exitCode = 2
} else {
  const results = files
    .flatMap((file) => (JSON.parse(readFileSync(file, 'utf8')) as { seeds: SeedResult[] }).seeds)
    .toSorted((one, other) => one.seed - other.seed)
  const tables = [
    markdownTable(faultHead, faultCells(results)),
    markdownTable(seedHead, results.map(seedCells)),
  ]
  process.stdout.write(`${tables.join('\n\n')}\n`)
}
