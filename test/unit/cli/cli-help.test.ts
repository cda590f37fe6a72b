import { readFileSync } from 'node:fs'

import type { Command } from 'commander'
import { expect, test } from 'vitest'

import { programOf } from '../../../services/cli/run-cli.ts'
import { cliHere } from '../../support/cli/cli-here.ts'

const program = programOf({ env: {}, isJson: false, report: () => undefined })

const leaves = (command: Command, path: readonly string[] = []): (readonly [string, Command])[] =>
  command.commands.length === 0
    ? [[path.join(' '), command]]
    : command.commands.flatMap((each) => leaves(each, [...path, each.name()]))

const groups = (command: Command, path: readonly string[] = []): (readonly [string, Command])[] =>
  command.commands.length === 0
    ? []
    : [
        [path.join(' ') || 'annals', command],
        ...command.commands.flatMap((each) => groups(each, [...path, each.name()])),
      ]

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part) })
  command.outputHelp()
  return text
}

const commands = leaves(program)

test.each(commands)('%s has a description and valid examples', (path, command) => {
  expect(command.description()).toMatch(/^[A-Z].*\.$/)
  const [, examples = ''] = helpOf(command).split(/\nExamples?:\n/)
  const lines = examples.split('\n').filter((line) => line.startsWith('  '))
  expect(lines.length, 'examples').toBeGreaterThan(0)
  const own = lines.filter((line) => line.includes(`annals ${path}`))
  expect(own.length, `examples that begin with annals ${path}`).toBeGreaterThan(0)
  const known = [...command.options, ...program.options].flatMap(({ long, short }) => [long, short])
  const used = own.flatMap(
    (line) => (line.split(`annals ${path}`)[1] ?? '').split(/[|<>&]/)[0]?.match(/(?<= )--[a-z-]+/g) ?? [],
  )
  expect(used.filter((option) => !known.includes(option))).toEqual([])
})

test.each(commands)('every option and argument of %s is described', (_, command) => {
  const parts = [...command.options, ...command.registeredArguments]
  const silent = parts.filter(({ description }) => description === '').map((part) => part.name())
  expect(silent).toEqual([])
})

test.each(groups(program))('the command group %s has a description', (_, command) => {
  expect(command.description()).toMatch(/^[A-Z].*\.$/)
})

test.each(commands)('%s takes --json', (_, command) => {
  expect(helpOf(command)).toContain('--json')
})

test('every command that destroys something has the option --yes', () => {
  const withYes = commands.filter(([, command]) => command.options.some(({ long }) => long === '--yes'))
  expect(withYes.map(([path]) => path)).toEqual(
    expect.arrayContaining([
      'deadletters drop',
      'index rebuild',
      'projection discard',
      'snapshot cleanup',
      'topics repartition',
    ]),
  )
})

test.each([['--version'], ['-V'], ['version']])('%s prints the version of package.json', async (word) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string }
  const run = cliHere({})
  expect(await run([word])).toMatchObject({ exitCode: 0, stdout: `${version}\n` })
  expect((await run([word, '--json'])).json()).toEqual({ version })
  // After a command it is an option of that command.
  expect((await run(['stream', 'state', 'customer.c-1', '--version', 'x'])).stderr).toContain('"x"')
})
