import type { Command } from 'commander'

import type { JobControl, RolledBack } from '#operations'

import { checkYes } from '../arguments.ts'
import type { Cli, Report } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { parseArgument } from '../parse-json.ts'
import { grouped } from '../progress/progress-text.ts'
import { runJob } from '../run-job.ts'
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
      cli.report(await takeBack(cli, importId, type, options))
    })
  withWriterOption(command, cli)
}

async function takeBack(
  cli: Cli,
  importId: string,
  aggregateType: string,
  options: RollbackOptions,
): Promise<Report> {
  const isDryRun = options.dryRun === true
  if (!isDryRun) checkYes(options, `append ${options.event} to every stream that import ${importId} began`)
  const event = { type: options.event, data: dataOf(options.data) }
  const request = { importId, aggregateType, event, isDryRun }
  const { rollback } = await import('#operations')
  const done = await runJob(cli, (control: JobControl<'rolling-back'>) =>
    withClient(options, (client) => rollback(client, request, control)),
  )
  return told(done, importId, isDryRun)
}

function dataOf(json: string): unknown {
  try {
    return parseArgument(json)
  } catch (error) {
    throw new UsageError(`--data ${json} ${(error as Error).message}`, { cause: error })
  }
}

function told(done: RolledBack, importId: string, isDryRun: boolean): Report {
  const { status, ...counts } = done
  const { streams, takenBack, alreadyTakenBack, leftAlone, leftAloneCount } = counts
  const isInterrupted = status === 'interrupted'
  return {
    document: { importId, isDryRun, ...counts, isInterrupted },
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

function headline({ status, leftAloneCount }: RolledBack, importId: string, isDryRun: boolean): string {
  if (status === 'interrupted') return 'Interrupted. Run the same command again to go on'
  if (isDryRun) return 'Nothing was appended: this was a dry run'
  return `Import ${importId} is taken back${leftAloneCount > 0 ? ', but for streams that are not its own alone' : ''}`
}
