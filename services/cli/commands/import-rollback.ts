import type { Command } from 'commander'

import type { JobControl, RolledBack } from '#operations'

import { checkYes } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { parseArgument } from '../parse-json.ts'
import { grouped } from '../progress/progress-text.ts'
import { runJob } from '../run-job.ts'
import { listOfPairs } from '../table.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

interface RollbackOptions extends WriterOption {
  readonly event: string
  readonly data: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

const help = `
Events stay in the log permanently. A rollback appends one event, which your domain must treat as "this stream is void",
to each stream that the import created. A stream to which others have appended is left alone and reported. You can
repeat the command: no stream gets the event twice. Stop the import first.

Examples:
  annals import-rollback trial-1 order --event OrderVoided --data '{"reason":"trial"}' --dry-run
  annals import-rollback trial-1 order --event OrderVoided --data '{"reason":"trial"}' --yes`

export function addImportRollback(program: Command, cli: Cli): void {
  const command = program
    .command('import-rollback')
    .description('Roll back an import that was made under an import id: mark its streams void.')
    .argument('<importId>', 'the --import-id of the import')
    .argument('<type>', 'aggregate type of the streams')
    .requiredOption('--event <type>', 'type of the event that marks a stream void')
    .option('--data <json>', 'data of that event', '{}')
    .option('--dry-run', 'count the streams, append nothing')
    .option('--yes', 'confirm')
    .addHelpText('after', help)
    .action(async (importId: string, type: string, options: RollbackOptions) => {
      cli.report(await rollBack(cli, importId, type, options))
    })
  withWriterOption(command, cli)
}

async function rollBack(
  cli: Cli,
  importId: string,
  aggregateType: string,
  options: RollbackOptions,
): Promise<CommandReport> {
  const isDryRun = options.dryRun === true
  if (!isDryRun) checkYes(options, `append ${options.event} to every stream that import ${importId} created`)
  const event = { type: options.event, data: dataOf(options.data) }
  const request = { importId, aggregateType, event, isDryRun }
  const { rollback } = await import('#operations')
  const done = await runJob(cli, (control: JobControl<'rolling-back'>) =>
    withClient(options, (client) => rollback(client, request, control), control),
  )
  return reportOf(done, importId, isDryRun)
}

function dataOf(json: string): unknown {
  try {
    return parseArgument(json)
  } catch (error) {
    throw new UsageError(`--data ${json} ${(error as Error).message}`, { cause: error })
  }
}

function reportOf(done: RolledBack, importId: string, isDryRun: boolean): CommandReport {
  const { status, streams, takenBack, alreadyTakenBack, leftAlone, leftAloneCount } = done
  const counts = { streams, takenBack, alreadyTakenBack, leftAlone, leftAloneCount }
  const isInterrupted = status === 'interrupted'
  return {
    document: { importId, isDryRun, ...counts, isInterrupted },
    text: [
      headline(done, importId, isDryRun),
      listOfPairs([
        ['streams created', grouped(streams)],
        [isDryRun ? 'would be rolled back' : 'rolled back', grouped(takenBack)],
        ['rolled back before', alreadyTakenBack === 0 ? undefined : grouped(alreadyTakenBack)],
        ['left alone', leftAloneCount === 0 ? undefined : grouped(leftAloneCount)],
      ]),
      ...leftAlone.slice(0, 10).map(({ streamId, reason }) => `${streamId} was left alone: ${reason}`),
    ].join('\n'),
    exitCode: isInterrupted ? 130 : leftAloneCount > 0 ? 1 : 0,
  }
}

function headline({ status, leftAloneCount }: RolledBack, importId: string, isDryRun: boolean): string {
  if (status === 'interrupted') return 'Interrupted. Run the same command again to continue'
  if (isDryRun) return 'Nothing was appended: this was a dry run'
  return `Import ${importId} is rolled back${leftAloneCount > 0 ? ', except streams to which others have appended' : ''}`
}
