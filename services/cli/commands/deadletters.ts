import { type Command, Option } from 'commander'

import type { Position } from '#domain'
import type { DeadLetter, DeadLetterRetry } from '#projections'

import { checkYes, wholeNumber, positions } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { grouped } from '../progress/progress-text.ts'
import { shortened, table } from '../table.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

interface ListOptions extends WriterOption {
  readonly offset?: number
  readonly limit: number
}

interface DropOptions extends WriterOption {
  readonly yes?: boolean
}

const limitMax = 1_000
const errorWidth = 120

const listExamples = `
Examples:
  annals deadletters list customer-lifetime
  annals deadletters list customer-lifetime --offset 100 --limit 50 --json`

const retryExamples = `
Each is applied once, however often it is retried. If some fail again, they stay, and the exit code is 1.

Examples:
  annals deadletters retry customer-lifetime
  annals deadletters retry customer-lifetime eventstore.customer:3:42 eventstore.customer:5:7`

const dropExamples = `
The events stay in the log: a rebuild tries to apply them again.

Example:
  annals deadletters drop customer-lifetime eventstore.customer:3:42 --yes`

export function addDeadLetters(program: Command, cli: Cli): void {
  const deadLetters = program
    .command('deadletters')
    .description('List, retry or drop events that a projection could not apply and set aside.')
  addList(deadLetters, cli)
  addRetry(deadLetters, cli)
  addDrop(deadLetters, cli)
}

function addList(deadLetters: Command, cli: Cli): void {
  const command = deadLetters
    .command('list')
    .description('List the dead letters of a projection with their errors, oldest first.')
    .argument('<projection>', 'name of the projection')
    .addOption(
      new Option('--offset <count>', 'how many to skip').argParser(wholeNumber('--offset', 0, 1_000_000_000)),
    )
    .addOption(
      new Option('--limit <count>', `how many at most, up to ${limitMax}`)
        .argParser(wholeNumber('--limit', 1, limitMax))
        .default(100),
    )
    .addHelpText('after', listExamples)
    .action(async (projection: string, { offset = 0, limit, ...options }: ListOptions) => {
      const page = { offset, limit }
      cli.report(
        listed(
          projection,
          await withClient(options, (client) => client.projection(projection).deadLetters(page)),
        ),
      )
    })
  withWriterOption(command, cli, 'projector')
}

function addRetry(deadLetters: Command, cli: Cli): void {
  const command = deadLetters
    .command('retry')
    .description('Apply dead letters: the given ones, or the oldest 1,000.')
    .argument('<projection>', 'name of the projection')
    .argument('[position...]', 'positions, as `deadletters list` prints them', positions)
    .addHelpText('after', retryExamples)
    .action(async (projection: string, which: readonly Position[] | undefined, options: WriterOption) => {
      const named = which?.length === 0 ? undefined : which
      const retry = await withClient(options, (client) =>
        client.projection(projection).retryDeadLetters(named),
      )
      cli.report(retried(projection, retry))
    })
  withWriterOption(command, cli, 'projector')
}

function addDrop(deadLetters: Command, cli: Cli): void {
  const command = deadLetters
    .command('drop')
    .description('Remove dead letters permanently.')
    .argument('<projection>', 'name of the projection')
    .argument('<position...>', 'positions, as `deadletters list` prints them', positions)
    .option('--yes', 'confirm')
    .addHelpText('after', dropExamples)
    .action(async (projection: string, which: readonly Position[], options: DropOptions) => {
      checkYes(options, `permanently remove ${counted(which.length)} of ${projection}`)
      const { dropped } = await withClient(options, (client) =>
        client.projection(projection).dropDeadLetters(which),
      )
      cli.report({
        document: { projection, dropped },
        text: `${counted(dropped)} of ${projection} removed`,
      })
    })
  withWriterOption(command, cli, 'projector')
}

const counted = (letters: number): string =>
  `${grouped(letters)} dead ${letters === 1 ? 'letter' : 'letters'}`

const listed = (projection: string, deadLetters: readonly DeadLetter[]): CommandReport => ({
  document: { projection, deadLetters },
  text: deadLetters.length === 0 ? `No dead letters of ${projection}` : deadLetterTable(deadLetters),
})

const retried = (projection: string, { applied, failed }: DeadLetterRetry): CommandReport => ({
  document: { projection, applied, failed },
  text: [
    `${counted(applied)} of ${projection} applied`,
    ...(failed.length === 0 ? [] : [`${counted(failed.length)} failed again:`, deadLetterTable(failed)]),
  ].join('\n'),
  exitCode: failed.length === 0 ? 0 : 1,
})

const deadLetterTable = (deadLetters: readonly DeadLetter[]): string =>
  table(
    ['position', 'set aside', 'error'],
    deadLetters.map(({ position, at, error }) => [position, at, shortened(error, errorWidth)]),
  )
