import { existsSync } from 'node:fs'
import { basename } from 'node:path'

import { type Command, Option } from 'commander'

import { loadConfig } from '#config'
import { createUpcasterChain, parseAggregateType } from '#domain'
import { eventTypeCheck } from '#event-store'
import { type EventCheck, eventCheckOf, loadCatalog } from '#schemas'
import { loadDomain } from '#service'

import { count } from '../arguments.ts'
import type { Cli, Report } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { importReport } from '../import/import-report.ts'
import { readMapping } from '../import/mapping.ts'
import { keptMax } from '../import/problem-log.ts'
import { type ImportParts, type ImportRequest, runImport } from '../import/run-import.ts'
import { latestVersions, schemaVersionOption, type SchemaVersions } from '../import/schema-versions.ts'
import { interruptible } from '../interruption.ts'
import { noDisplay, progressDisplay } from '../progress-display.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

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
    .addOption(numberOption('--errors-max', 'as many wrong lines end it; fewer are left out', keptMax, 1))
    .addOption(numberOption('--batch', 'lines in one go; four such are under way at a time', 10_000, 500))
    .option('--checkpoint <file>', 'where to keep how far it is, and to go on from')
    .option('--no-schemas', 'do not check the events by the schemas at hand (ANNALS_SCHEMAS)')
    .addHelpText('after', help)
    .action(async (file: string, options: ImportOptions) => {
      cli.report(await interruptible((signal) => importFile(cli, file, options, signal)))
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

async function importFile(
  cli: Cli,
  file: string,
  options: ImportOptions,
  signal: AbortSignal,
): Promise<Report> {
  const request = await requestOf(cli, file, options)
  const display = () => (cli.isJson ? noDisplay : progressDisplay(process.stderr))
  const run = async (store: ImportParts['store']) => runImport(request, { store, display, signal })
  if (request.isDryRun) return importReport(await run(noStore), request)
  // A writer that is not there is told at once; one that goes away in the midst of it is waited for.
  await withClient(options, (client) => client.owners())
  return importReport(await withClient(options, run, {}), request)
}

async function requestOf(cli: Cli, file: string, options: ImportOptions): Promise<ImportRequest> {
  const { mapping, source, importId, idPrefix, rename, dryRun, errorsMax, batch, report, checkpoint } =
    options
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
    check: options.schemas ? await schemaCheck(cli) : undefined,
    isDryRun: dryRun === true,
    ...{ errorsMax, batch, report, checkpoint },
  }
}

/** By the schemas and the domain modules that are at hand; the writer has the last word. */
async function schemaCheck({ env }: Cli): Promise<EventCheck | undefined> {
  const { domain, writer } = loadConfig(env)
  const isAsked = (env['ANNALS_SCHEMAS'] ?? '') !== ''
  if (!isAsked && !domain.schemaFolders.every((folder) => existsSync(folder))) return undefined
  const { aggregates, upcasters } = await loadDomain(domain.modules)
  const fits = eventCheckOf(loadCatalog(domain.schemaFolders), createUpcasterChain(upcasters))
  if (writer.eventTypes === 'any') return fits
  const isEvolved = eventTypeCheck(aggregates)
  return (aggregateType, type, data, schemaVersion) => {
    isEvolved(aggregateType, [{ type }])
    return fits(aggregateType, type, data, schemaVersion)
  }
}

const neverAsked = (): Promise<never> => Promise.reject(new Error('a dry run asks no writer'))
const noStore: ImportParts['store'] = { append: neverAsked, read: neverAsked }
