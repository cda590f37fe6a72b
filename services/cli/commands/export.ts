import type { Command } from 'commander'

import type { Exported, ExportScope, JobControl } from '#operations'

import { time } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { grouped } from '../progress/progress-text.ts'
import { runJob } from '../run-job.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

interface ExportOptions extends WriterOption {
  readonly stream?: string
  readonly output?: string
  readonly overwrite?: boolean
  readonly mapping?: string
  readonly fromTime?: string
  readonly untilTime?: string
  readonly type: readonly string[]
}

const help = `
Writes one event per line in JSON, in the format that \`import\` reads; with --mapping a table that the same mapping
imports. Each stream keeps its order. An aggregate type is written one partition after the other. A file gets its
name when it is complete.

Examples:
  annals export customer --output customers.ndjson
  annals export customer --from-time 2026-01-01 --until-time 2026-02-01 | gzip > january.ndjson.gz
  annals export --stream order.order-42
  annals export customer --mapping examples/customers/cdnow.mapping.json --output customers.txt`

export function addExport(program: Command, cli: Cli): void {
  const command = program
    .command('export')
    .description('Write the events of an aggregate type or of a stream to a file or to standard output.')
    .argument('[type]', 'aggregate type')
    .option('--stream <streamId>', 'only this stream')
    .option('--output <file>', 'default: standard output')
    .option('--overwrite', 'replace an existing file')
    .option('--mapping <file>', 'write a table; see docs/operations/import-export.md')
    .option(
      '--from-time <time>',
      'not before this time: ISO 8601, e.g. 2026-01-31 or 2026-01-31T12:00:00Z',
      time('--from-time'),
    )
    .option('--until-time <time>', 'before this time', time('--until-time'))
    .option('--type <eventType>', 'only events of this type; repeat for more', collected, [])
    .addHelpText('after', help)
    .action(async (aggregateType: string | undefined, options: ExportOptions) => {
      cli.report(await exportAll(cli, scopeOf(aggregateType, options), options))
    })
  withWriterOption(command, cli)
}

const collected = (given: string, before: readonly string[]): readonly string[] => [...before, given]

function scopeOf(aggregateType: string | undefined, { stream }: ExportOptions): ExportScope {
  if (stream !== undefined && aggregateType === undefined) return { streamId: stream }
  if (stream === undefined && aggregateType !== undefined) return { aggregateType }
  throw new UsageError('export takes either an aggregate type or --stream')
}

async function exportAll(cli: Cli, scope: ExportScope, options: ExportOptions): Promise<CommandReport> {
  const { output: file, fromTime: from, untilTime: until, type: types, mapping } = options
  const request = { scope, from, until, types, mapping, file, isOverwriting: options.overwrite === true }
  // Loaded here only: it loads the Kafka clients.
  const { runExport } = await import('#operations')
  // Events printed on a terminal show the progress themselves.
  const isQuiet = cli.isJson || (file === undefined && process.stdout.isTTY)
  const job = (control: JobControl<'exporting'>) =>
    withClient(options, (store) => runExport({ store, lines: process.stdout }, request, control), control)
  return reportOf(await runJob(cli, job, { isQuiet }), file)
}

function reportOf(exported: Exported, file: string | undefined): CommandReport {
  const { status, events, streams } = exported
  const isInterrupted = status === 'interrupted'
  const where = file === undefined ? '' : ` to ${file}`
  const counts = `${grouped(events)} events of ${grouped(streams)} streams`
  const interrupted = `Interrupted after ${counts}${file === undefined ? '' : `: ${file} was not written`}. Run the same command again`
  return {
    document: { events, streams, isInterrupted, ...(file !== undefined && { file }) },
    text: isInterrupted ? interrupted : `Exported ${counts}${where}`,
    exitCode: isInterrupted ? 130 : 0,
    isAside: file === undefined,
  }
}
