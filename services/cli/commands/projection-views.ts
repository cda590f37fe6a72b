import { type Command, Option } from 'commander'

import type { AnnalsClient } from '#client'
import { EventStoreError } from '#event-store'
import type { View, ViewOptions, ViewsQuery } from '#projections'

import { wholeNumber } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { shortened, table } from '../table.ts'
import { visible } from '../visible.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

interface ViewCommandOptions extends WriterOption {
  readonly generation?: string
}

interface ViewsCommandOptions extends ViewCommandOptions {
  readonly orderBy?: string
  readonly desc?: boolean
  readonly limit: number
}

const limitMax = 100_000
const pageMax = 1_000
const viewWidth = 100

const viewExamples = `
Examples:
  annals projection view customer-lifetime c-1
  annals projection view customer-lifetime c-1 --generation 0198c0de-0000-7000-8000-000000000001`

const viewsExamples = `
Examples:
  annals projection views customer-lifetime
  annals projection views customer-lifetime --order-by spend --desc --limit 10
  annals projection views monthly-revenue --json`

export function addProjectionViews(projection: Command, cli: Cli): void {
  const one = projection
    .command('view')
    .description('Show a view by its key.')
    .argument('<name>', 'name of the projection')
    .argument('<key>', 'key of the view')
    .option('--generation <id>', 'a generation other than the serving one, such as a view of the past')
    .addHelpText('after', viewExamples)
    .action(async (name: string, key: string, options: ViewCommandOptions) => {
      cli.report(await withClient(options, (client) => view(client, name, key, generationOf(options))))
    })
  withWriterOption(one, cli, 'projector')

  const many = projection
    .command('views')
    .description('List views by key or by a declared index.')
    .argument('<name>', 'name of the projection')
    .option('--order-by <index>', 'a declared index; default: by key')
    .option('--desc', 'largest first')
    .addOption(
      new Option('--limit <count>', `how many views at most, up to ${limitMax}`)
        .argParser(wholeNumber('--limit', 1, limitMax))
        .default(100),
    )
    .option('--generation <id>', 'a generation other than the serving one, such as a view of the past')
    .addHelpText('after', viewsExamples)
    .action(async (name: string, options: ViewsCommandOptions) => {
      cli.report(await withClient(options, (client) => views(client, name, options)))
    })
  withWriterOption(many, cli, 'projector')
}

const generationOf = ({ generation }: ViewCommandOptions): ViewOptions =>
  generation === undefined ? {} : { generation }

async function view(
  client: AnnalsClient,
  name: string,
  key: string,
  options: ViewOptions,
): Promise<CommandReport> {
  const found = await client.projection(name).get(key, options)
  if (found === undefined) {
    throw new EventStoreError('view-not-found', `projection ${name} has no view ${key}`)
  }
  return {
    document: found,
    text: `${visible(key)}, changed at ${found.changedAt}\n${JSON.stringify(found.view, null, 2)}`,
  }
}

/** Reads one view more than it shows, to know whether there are more. */
async function views(
  client: AnnalsClient,
  name: string,
  options: ViewsCommandOptions,
): Promise<CommandReport> {
  const { orderBy, desc, limit } = options
  const query: ViewsQuery = {
    ...generationOf(options),
    ...(orderBy !== undefined && { orderBy }),
    ...(desc !== undefined && { descending: desc }),
    limit: Math.min(limit + 1, pageMax),
  }
  const found: View[] = []
  for await (const one of client.projection(name).listAll(query)) {
    found.push(one)
    if (found.length > limit) break
  }
  return reportOf(name, found.slice(0, limit), found.length > limit)
}

const reportOf = (name: string, found: readonly View[], more: boolean): CommandReport => ({
  document: { projection: name, views: found, more },
  text: [
    found.length === 0 ? 'No views' : viewTable(found),
    ...(more ? ['There are more: set a larger --limit'] : []),
  ].join('\n'),
})

const viewTable = (found: readonly View[]): string =>
  table(
    ['key', 'changed', 'view'],
    found.map(({ key, changedAt, view: data }) => [
      visible(key),
      changedAt,
      shortened(JSON.stringify(data), viewWidth),
    ]),
  )
