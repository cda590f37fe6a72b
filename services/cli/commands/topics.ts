import type { Command } from 'commander'

import { loadConfig } from '#config'
import type { CreatedTopic } from '#operations'

import type { Cli, Report } from '../cli.ts'
import { addTopicsRepartition } from './topics-repartition.ts'

const topicsHelp = `
Examples:
  annals topics list
  annals topics check
  annals topics repartition order --partitions 32 --dry-run`

const listHelp = `
Topics are those of the domain (ANNALS_DOMAIN): events, snapshots, changelogs of projections, dead letters. Services make what is missing.
Bytes are those on the disks of all brokers, copies included.

Examples:
  annals topics list
  annals topics list --json`

const checkHelp = `
It compares the settings of topics and brokers with those that the promises need, and the numbers of partitions with the configuration. It also
looks at the logs: a head that was deleted, a topic that was created again, stray records, epochs that run out. It ends with 1 where something
is otherwise, and changes nothing: docs/operations/topics.md tells how to.

Examples:
  annals topics check
  annals topics check --json`

const createHelp = `
Services do it by themselves when they start; this is for clusters where they may not. The number of partitions, copies and limits are those
of the configuration (ANNALS_KAFKA_…). A topic that is there is left as it is.

Examples:
  annals topics create order
  ANNALS_KAFKA_PARTITIONS_BY_TYPE=order=32 annals topics create order`

export function addTopics(program: Command, cli: Cli): void {
  const topics = program
    .command('topics')
    .description('Look after the topics in Kafka.')
    .addHelpText('after', topicsHelp)
  topics
    .command('list')
    .description('All topics of the domain: partitions, copies, sizes, settings.')
    .addHelpText('after', listHelp)
    .action(async () => cli.report(await list(cli)))
  topics
    .command('check')
    .description('Compare the settings of topics and brokers with the recommended ones.')
    .addHelpText('after', checkHelp)
    .action(async () => cli.report(await check(cli)))
  topics
    .command('create')
    .description('Make the topics of an aggregate type: events, and snapshots where it has any.')
    .argument('<aggregateType>', 'of the domain')
    .addHelpText('after', createHelp)
    .action(async (aggregateType: string) => cli.report(await create(cli, aggregateType)))
  addTopicsRepartition(topics, cli)
}

async function inspect({ env }: Cli) {
  const [{ inspectTopics }, reports, { withConnections }] = await Promise.all([
    import('#operations'),
    import('../reports/topics-report.ts'),
    import('#service'),
  ])
  const config = loadConfig(env)
  const inspection = await withConnections(config, (connections) => inspectTopics(config, connections))
  return { inspection, ...reports }
}

async function list(cli: Cli): Promise<Report> {
  const { inspection, listReport } = await inspect(cli)
  return listReport(inspection)
}

async function check(cli: Cli): Promise<Report> {
  const { inspection, checkReport } = await inspect(cli)
  return checkReport(inspection)
}

async function create({ env }: Cli, aggregateType: string): Promise<Report> {
  const [{ createTopics }, { withConnections }] = await Promise.all([
    import('#operations'),
    import('#service'),
  ])
  const config = loadConfig(env)
  return created(
    await withConnections(config, (connections) => createTopics(config, connections, { aggregateType })),
  )
}

const created = (topics: readonly CreatedTopic[]): Report => ({
  document: { topics },
  text: topics
    .map(({ name, partitions, replication, created: isNew }) =>
      isNew
        ? `Made ${name} with ${partitions} partitions, ${replication} ${replication === 1 ? 'copy' : 'copies'} of each`
        : `${name} is there already, with ${partitions} partitions`,
    )
    .join('\n'),
})
