import { basename } from 'node:path'

import type { Command } from 'commander'

import { loadConfig } from '#config'
import { parseAggregateType } from '#domain'
import type { JobControl } from '#operations'

import type { Cli, CommandReport } from '../cli.ts'
import { runJob } from '../run-job.ts'

const folders = 'Folders come from ANNALS_SCHEMAS, upcasters from the domain modules in ANNALS_DOMAIN.'

const help = (...examples: readonly string[]): string =>
  ['', folders, '', 'Examples:', ...examples.map((example) => `  annals schemas ${example}`)].join('\n')

const subcommands = [
  ['push', 'Register all schemas at the registry; existing ones are unchanged.'],
  ['check', 'Check the schemas, without a registry.'],
  ['types', 'Update the generated TypeScript types.'],
  ['release', 'Check the schemas, then fingerprint new versions, store samples, generate types.'],
] as const

interface InferOptions {
  readonly type: string
  readonly mapping?: string
  readonly write?: boolean
}

const inferHelp = `
Reads a file in a format of \`import\`: one event per line in JSON, {"streamId", "type", "data"}, or a table with a mapping. For each event
type of the aggregate type it proposes the narrowest types that accept all of its events. Nothing is released.

Examples:
  annals schemas infer events.ndjson --type order
  annals schemas infer orders.csv --mapping orders.mapping.json --type order --write`

function addInfer(schemas: Command, cli: Cli): void {
  schemas
    .command('infer')
    .description('Propose schemas for the events in a file.')
    .argument('<file>', 'file of events, as for import')
    .requiredOption('--type <aggregateType>', 'aggregate type of the events', parseAggregateType)
    .option('--mapping <file>', 'how to map a table to events: JSON, see docs/operations/import-export.md')
    .option('--write', 'write the files to the first folder of ANNALS_SCHEMAS; no file is replaced')
    .addHelpText('after', inferHelp)
    .action(async (file: string, options: InferOptions) => {
      cli.report(await infer(cli, file, options))
    })
}

async function infer(cli: Cli, file: string, options: InferOptions): Promise<CommandReport> {
  const [{ inferSchemas, readMapping }, { inferReport }] = await Promise.all([
    import('#operations'),
    import('../reports/infer-report.ts'),
  ])
  const { mapping } = options
  const [folder = 'schemas'] = loadConfig(cli.env).domain.schemaFolders
  const from = {
    ...{ file, source: basename(file), renamed: new Map<string, string>() },
    ...(mapping !== undefined && { mapping: await readMapping(mapping) }),
  }
  const request = { from, aggregateType: options.type, folder, isWriting: options.write === true }
  const job = (control: JobControl<'reading'>) => inferSchemas(request, control)
  const labels = { reading: { what: 'reading', unit: 'bytes' } }
  return inferReport(await runJob(cli, job, { labels }), request)
}

export function addSchemas(program: Command, cli: Cli): void {
  const schemas = program
    .command('schemas')
    .description('Check, register and generate the schemas of events.')
  addInfer(schemas, cli)
  schemas.addHelpText('after', help('check', 'push --json'))
  for (const [name, does] of subcommands) {
    schemas
      .command(name)
      .description(does)
      .addHelpText('after', help(name, `${name} --json`))
      .action(async () => {
        // Loaded here only, as for doctor.
        const { schemaCommands } = await import('../schema-commands.ts')
        cli.report(await schemaCommands[name](loadConfig(cli.env)))
      })
  }
}
