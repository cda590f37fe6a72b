import type { Command } from 'commander'

import { checkYes } from '../arguments.ts'
import type { Cli, Report } from '../cli.ts'
import { CommandError, UsageError } from '../failure.ts'
import { type RolledBack, rollback } from '../import/rollback.ts'
import { interruptible } from '../interruption.ts'
import { parseArgument } from '../parse-json.ts'
import { noDisplay, progressDisplay } from '../progress-display.ts'
import { grouped } from '../progress-text.ts'
import { list } from '../table.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

interface RollbackOptions extends WriterOption {
  readonly event: string
  readonly data: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

const help = `
Events stay in the log for good. To take an import back, one event that your domain understands so (a stream is void) is
appended to each stream that the import began, right behind the import's own events. A stream to which others have
appended is left alone, and told. It can be repeated: no stream gets the event twice. End the import first.

Examples:
  annals import-rollback trial-1 order --event OrderVoided --data '{"reason":"trial"}' --dry-run
  annals import-rollback trial-1 order --event OrderVoided --data '{"reason":"trial"}' --yes`

export function addImportRollback(program: Command, cli: Cli): void {
  const command = program
    .command('import-rollback')
    .description('Take back an import that was made under an import id: mark its streams void.')
    .argument('<importId>', 'as --import-id named it')
    .argument('<type>', "the streams' aggregate type")
    .requiredOption('--event <type>', 'the event that says so')
    .option('--data <json>', 'its data', '{}')
    .option('--dry-run', 'count the streams, append nothing')
    .option('--yes', 'do it')
    .addHelpText('after', help)
    .action(async (importId: string, type: string, options: RollbackOptions) => {
      cli.report(await interruptible((signal) => takeBack(cli, importId, type, options, signal)))
    })
  withWriterOption(command, cli)
}

async function takeBack(
  { isJson }: Cli,
  importId: string,
  aggregateType: string,
  options: RollbackOptions,
  signal: AbortSignal,
): Promise<Report> {
  const isDryRun = options.dryRun === true
  if (!isDryRun) checkYes(options, `append ${options.event} to every stream that import ${importId} began`)
  const event = { type: options.event, data: dataOf(options.data) }
  const display = isJson ? noDisplay : progressDisplay(process.stderr)
  const done = await withClient(options, (client) =>
    rollback(client, { importId, aggregateType, event, isDryRun, signal, display }),
  )
  if (done.streams === 0 && !done.isInterrupted) throw nothingFound(importId, aggregateType)
  return told(done, importId, isDryRun)
}

function dataOf(json: string): unknown {
  try {
    return parseArgument(json)
  } catch (error) {
    throw new UsageError(`--data ${json} ${(error as Error).message}`, { cause: error })
  }
}

const nothingFound = (importId: string, aggregateType: string): CommandError =>
  new CommandError({
    exitCode: 1,
    code: 'import-not-found',
    message: `no event of aggregate type ${aggregateType} is of an import ${importId}: is it what --import-id named?`,
  })

function told(done: RolledBack, importId: string, isDryRun: boolean): Report {
  const { streams, takenBack, alreadyTakenBack, leftAlone, leftAloneCount, isInterrupted } = done
  return {
    document: { importId, isDryRun, ...done },
    text: [
      headline(done, importId, isDryRun),
      list([
        ['streams it began', grouped(streams)],
        [isDryRun ? 'would be taken back' : 'taken back', grouped(takenBack)],
        ['taken back before', alreadyTakenBack === 0 ? undefined : grouped(alreadyTakenBack)],
        ['left alone', leftAloneCount === 0 ? undefined : grouped(leftAloneCount)],
      ]),
      ...leftAlone.slice(0, 10).map(({ streamId, reason }) => `${streamId} was left alone: ${reason}`),
    ].join('\n'),
    exitCode: isInterrupted ? 130 : leftAloneCount > 0 ? 1 : 0,
  }
}

function headline(
  { isInterrupted, leftAloneCount }: RolledBack,
  importId: string,
  isDryRun: boolean,
): string {
  if (isInterrupted) return 'Interrupted. Run the same command again to go on'
  if (isDryRun) return 'Nothing was appended: this was a dry run'
  return `Import ${importId} is taken back${leftAloneCount > 0 ? ', but for streams that are not its own alone' : ''}`
}
