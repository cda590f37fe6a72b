import { styleText } from 'node:util'

import Table from 'cli-table3'

const sides = ['top', 'bottom', 'left', 'right', 'mid'] as const
const joints = ['', '-left', '-mid', '-right'] as const
const noLines = Object.fromEntries(
  [...sides.flatMap((side) => joints.map((joint) => `${side}${joint}`)), 'middle'].map((name) => [name, '']),
)

/** A table with a head, without lines. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const grid = new Table({
    head: head.map((name) => styleText('dim', name)),
    chars: noLines,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  })
  grid.push(...rows.map((row) => [...row]))
  return trimmed(grid.toString())
}

/** Names and values, one pair per line. Pairs without a value are omitted. */
export function listOfPairs(
  pairs: readonly (readonly [name: string, value: string | number | undefined])[],
): string {
  const known = pairs.filter(([, value]) => value !== undefined)
  const width = Math.max(...known.map(([name]) => name.length))
  return known.map(([name, value]) => `${styleText('dim', name.padEnd(width))}  ${value ?? ''}`).join('\n')
}

/** The text, cut to the width of a column. */
export const shortened = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text

const trimmed = (text: string): string => text.replaceAll(/ +$/gm, '')
