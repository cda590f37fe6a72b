import { basename } from 'node:path'

import { type Command, Option } from 'commander'

import { loadConfig } from '#config'
import { parseAggregateType } from '#domain'
import type { ImportControl, ImportRequest, ImportStore, SchemaVersions } from '#operations'

import { count } from '../arguments.ts'
import type { Cli, Report } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { importReport } from '../reports/import-report.ts'
import { runJob } from '../run-job.ts'
import { latestVersions, schemaVersionOption } from '../schema-version-option.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

/** An import keeps so many problems; #operations, which is loaded only when a command runs, has the same number. */
export const problemsKeptMax = 1_000

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
Without --mapping each line is an event in JSON, as \`export\` writes it:
{"streamId", "type", "data", "id"?, "metadata"?, "schemaVersion"?}.
Versions, positions and timestamps in it are not taken: an event gets those of its append. With --mapping the file is
a table; the mapping says which columns make stream, type and data.

All lines are checked before anything is appended. The same file twice adds nothing, so whatever broke an import off,
the same command goes on with it. Ctrl-C ends it after what is under way.

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
    .argument('<file>', 'to read; it is read twice, so it must be a file')
    .option('--mapping <file>', 'how a table becomes events: JSON, see docs/operations/import-export.md')
    .option(
      '--source <name>',
      "where the lines come from, part of their events' ids; default: the file's name",
    )
    .option('--id-prefix <text>', 'before every id that a line has, so that they are other events')
    .option(
      '--schema-version <version>',
      'in which the data is: of all events, or of a type (OrderPlaced=1), more than once; default: the latest',
      schemaVersionOption,
      latestVersions,
    )
    .option('--import-id <id>', 'only into streams that this import begins, so that it can be taken back')
    .option(
      '--rename <old=new>',
      'another aggregate type; more than once',
      renaming,
      new Map<string, string>(),
    )
    .option('--dry-run', 'check all lines, append nothing')
    .option('--report <file>', 'where all problems go, one JSON document a line')
    .addOption(
      numberOption('--errors-max', 'as many wrong lines end it; fewer are left out', problemsKeptMax, 1),
    )
    .addOption(numberOption('--batch', 'lines in one go; four such are under way at a time', 10_000, 500))
    .option('--checkpoint <file>', 'where to keep how far it is, and to go on from')
    .option('--no-schemas', 'do not check the events by the schemas at hand (ANNALS_SCHEMAS)')
    .addHelpText('after', help)
    .action(async (file: string, options: ImportOptions) => {
      cli.report(await importFile(cli, file, options))
    })
  withWriterOption(command, cli)
}

const numberOption = (name: string, told: string, max: number, value: number): Option =>
  new Option(`${name} <count>`, `${told}, up to ${max}`).argParser(count(name, 1, max)).default(value)

function renaming(given: string, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const [old = '', fresh = '', ...more] = given.split('=')
  if (more.length > 0) throw new UsageError(`--rename ${given}: expected old=new`)
  return new Map([...before, [parseAggregateType(old), parseAggregateType(fresh)]])
}

async function importFile(cli: Cli, file: string, options: ImportOptions): Promise<Report> {
  // Loaded only here: it brings the clients of Kafka along.
  const { runImport } = await import('#operations')
  const request = await requestOf(cli, file, options)
  const run = (store: ImportStore) =>
    runJob(cli, (control: ImportControl) => runImport(store, request, control), { labels })
  if (request.isDryRun) return importReport(await run(noStore), request)
  // A writer that is not there is reported at once; one that goes away in the midst of it is waited for.
  await withClient(options, (client) => client.owners())
  return importReport(await withClient(options, run, {}), request)
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

const neverAsked = (): Promise<never> => Promise.reject(new Error('a dry run asks no writer'))
const noStore: ImportStore = { append: neverAsked, read: neverAsked }
