import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'

import { programOf } from '../../../services/cli/run-cli.ts'
import { blocksOf, documentedPages, placeOf } from '../../support/docs/docs-blocks.ts'

interface ShownCommand {
  readonly place: string
  readonly words: readonly string[]
}

/** The words of a line of shell, up to a pipe, a redirection or a comment. Undefined if only a shell can tell them. */
function wordsOf(line: string): readonly string[] | undefined {
  const words: string[] = []
  for (const [, single, double, bare] of line.matchAll(/'([^']*)'|"([^"]*)"|([^\s'"]+)/g)) {
    if (bare !== undefined && /^([|>&#;]|2>)/.test(bare)) break
    words.push(single ?? double ?? bare ?? '')
  }
  return words.some((word) => /\$[({]|`|…|<\w/.test(word)) ? undefined : words
}

/** All commands of `./annals` on a page, without variables in front of them. */
const commandsOf = (page: string): readonly ShownCommand[] =>
  blocksOf(page)
    .filter(({ language }) => language === 'sh')
    .flatMap((block) =>
      block.code.split('\n').flatMap((line) => {
        const [, command] = /^(?:[A-Z_]+=\S* )*\.\/annals (.*)$/.exec(line) ?? []
        const words = command === undefined || line.endsWith('\\') ? undefined : wordsOf(command)
        return words === undefined ? [] : [{ place: placeOf(block), words }]
      }),
    )

const leavesOf = (command: Command): readonly Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf)

/** Parses a command line as the program does, and runs nothing. @throws CommanderError, UsageError … */
async function parse(words: readonly string[]): Promise<void> {
  let ran = 0
  const program = programOf({ env: {}, isJson: false, report: () => undefined })
  for (const command of [program, ...leavesOf(program)]) {
    command.exitOverride().configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
  }
  for (const command of leavesOf(program)) {
    command.action(() => {
      ran++
    })
  }
  await program.parseAsync(words, { from: 'user' })
  if (ran !== 1) throw new Error('it names no command')
}

const pages = documentedPages().flatMap((page) => {
  const commands = commandsOf(page)
  return commands.length === 0 ? [] : [{ page, commands }]
})

describe('every command on a page is one that the command line accepts', () => {
  test.each(pages)('$page', async ({ commands }) => {
    const faults: string[] = []
    for (const { place, words } of commands) {
      await parse(words).catch((error: unknown) => {
        faults.push(`${place}: ${words.join(' ')}: ${(error as Error).message}`)
      })
    }
    expect(faults).toEqual([])
  })
})

test('a command that the command line does not accept is found', async () => {
  await expect(parse(['audit', '--sinse', '7d'])).rejects.toThrow('--sinse')
  await expect(parse(['audit', '--outcome', 'maybe'])).rejects.toThrow('maybe')
  await expect(parse(['audits'])).rejects.toThrow('audits')
  await expect(parse(wordsOf(`audit --resource 'order.*' --since 7d | head`) ?? [])).resolves.toBeUndefined()
})
