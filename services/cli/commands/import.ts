import { basename } from 'node:path'

import { type Command, Option } from 'commander'

import { loadConfig } from '#config'
import { parseAggregateType } from '#domain'
import type { ImportControl, ImportRequest, ImportStore, SchemaVersions } from '#operations'

import { wholeNumber } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { importReport } from '../reports/import-report.ts'
import { runJob } from '../run-job.ts'
import { schemaVersionsDefault, schemaVersionOption } from '../schema-version-option.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

/** The maximum of --errors-max: the number of problems that an import keeps. #operations is loaded only when a command runs, so the number is repeated here. */
export const errorsMaxLimit = 1_000

interface ImportOptions extends WriterOption {
  readonly mapping?: string
  readonly source?: string
  readonly importId?: string
  readonly idPrefix?: string
  readonly schemaVersion: SchemaVersions
  readonly rename: ReadonlyMap<string, string>
  readonly dryRun?: boolean
  readonly report?: string
  readonly errorsMax: number
  readonly batch: number
  readonly checkpoint?: string
  /** False by --no-schemas. */
  readonly schemas: boolean
}

const help = `
Without --mapping each line is an event in JSON, in the format of \`export\`:
{"streamId", "type", "data", "id"?, "metadata"?, "schemaVersion"?}.
Versions, positions and timestamps in the file are ignored: an event gets those of its append. With --mapping the file
is a table, and the mapping assigns its columns to stream, type and data.

All lines are checked before anything is appended. Importing a file twice adds nothing, so the same command resumes an
import that ended early. Ctrl-C ends it after the appends that are in flight.

Examples:
  annals import purchases.ndjson --dry-run --report problems.ndjson
  annals import examples/customers/cdnow.txt --mapping examples/customers/cdnow.mapping.json
  annals import orders.csv --mapping orders.mapping.json --checkpoint orders.checkpoint
  annals import orders.ndjson --rename order=order-2026 --import-id trial-1
  annals import orders-of-2020.ndjson --schema-version OrderPlaced=1`

export function addImport(program: Command, cli: Cli): void {
  const command = program
    .command('import')
    .description('Append the events of a file: JSON lines, or a table with a mapping.')
    .argument('<file>', 'file of events; it is read twice, so it cannot be a pipe')
    .option('--mapping <file>', 'how to map a table to events: JSON, see docs/operations/import-export.md')
    .option(
      '--source <name>',
      'source of the lines, part of the ids of their events; default: the name of the file',
    )
    .option('--id-prefix <text>', 'prefix for the id of every line, to import the lines as different events')
    .option(
      '--schema-version <version>',
      'schema version of the data: of all events, or of a type (OrderPlaced=1; repeat for more); default: the latest',
      schemaVersionOption,
      schemaVersionsDefault,
    )
    .option(
      '--import-id <id>',
      'append only to streams that this import creates, so that you can roll it back',
    )
    .option(
      '--rename <old=new>',
      'replace an aggregate type; repeat for more',
      renaming,
      new Map<string, string>(),
    )
    .option('--dry-run', 'check all lines, append nothing')
    .option('--report <file>', 'write all problems to this file, one JSON document per line')
    .addOption(numberOption('--errors-max', 'stop at this many wrong lines; skip fewer', errorsMaxLimit, 1))
    .addOption(numberOption('--batch', 'lines per batch; four batches are in flight at a time', 10_000, 500))
    .option('--checkpoint <file>', 'store the progress in this file, and resume from it')
    .option('--no-schemas', 'do not check the events against the schemas in ANNALS_SCHEMAS')
    .addHelpText('after', help)
    .action(async (file: string, options: ImportOptions) => {
      cli.report(await importFile(cli, file, options))
    })
  withWriterOption(command, cli)
}

const numberOption = (name: string, description: string, max: number, value: number): Option =>
  new Option(`${name} <count>`, `${description}, up to ${max}`)
    .argParser(wholeNumber(name, 1, max))
    .default(value)

function renaming(given: string, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const [old = '', fresh = '', ...more] = given.split('=')
  if (more.length > 0) throw new UsageError(`--rename ${given}: expected old=new`)
  return new Map([...before, [parseAggregateType(old), parseAggregateType(fresh)]])
}

async function importFile(cli: Cli, file: string, options: ImportOptions): Promise<CommandReport> {
  // Loaded here only: it loads the Kafka clients.
  const { runImport } = await import('#operations')
  const request = await requestOf(cli, file, options)
  const run = (store: ImportStore) =>
    runJob(cli, (control: ImportControl) => runImport(store, request, control), { labels })
  if (request.isDryRun) return importReport(await run(noStore), request)
  // A writer that is missing at the start is an error. During the import a missing writer is waited for.
  await withClient(options, (client) => client.owners())
  return importReport(await withClient(options, run, { retries: {} }), request)
}

const labels = {
  checking: { what: 'checking', unit: 'bytes' },
  appending: { what: 'appending', unit: 'events', waitingFor: 'the writer' },
} as const

async function requestOf(cli: Cli, file: string, options: ImportOptions): Promise<ImportRequest> {
  const { readMapping, schemaCheckOf } = await import('#operations')
  const { mapping, source, importId, idPrefix, rename, dryRun, errorsMax, batch, report, checkpoint } =
    options
  const areSchemasNamed = (cli.env['ANNALS_SCHEMAS'] ?? '') !== ''
  return {
    from: {
      file,
      source: source ?? importId ?? basename(file),
      renamed: rename,
      schemaVersions: options.schemaVersion,
      ...(idPrefix !== undefined && { idPrefix }),
      ...(mapping !== undefined && { mapping: await readMapping(mapping) }),
      ...(importId !== undefined && { importId }),
    },
    check: options.schemas ? await schemaCheckOf(loadConfig(cli.env), areSchemasNamed) : undefined,
    isDryRun: dryRun === true,
    ...{ errorsMax, batch, report, checkpoint },
  }
}

const neverAsked = (): Promise<never> => Promise.reject(new Error('a dry run calls no writer'))
const noStore: ImportStore = { append: neverAsked, read: neverAsked }
