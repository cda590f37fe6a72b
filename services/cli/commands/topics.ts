import type { Command } from 'commander'

import { loadConfig } from '#config'
import type { CreatedTopic, TopicsInspection } from '#operations'

import type { Cli, CommandReport } from '../cli.ts'
import { addTopicsRepartition } from './topics-repartition.ts'

const topicsHelp = `
Examples:
  annals topics list
  annals topics check
  annals topics repartition order --partitions 32 --dry-run`

const listHelp = `
Lists the topics of the domain (ANNALS_DOMAIN): events, snapshots, changelogs of projections, dead letters. Services create missing topics.
Bytes are those on the disks of all brokers, including copies.

Examples:
  annals topics list
  annals topics list --json`

const checkHelp = `
Compares the settings of topics and brokers with those that the promises require, and the numbers of partitions with the configuration. It also
checks the logs: a deleted head, a recreated topic, stray records, epochs that run out. It exits with 1 if it finds a difference, and changes
nothing: docs/operations/topics.md describes how to fix each.

Examples:
  annals topics check
  annals topics check --json`

const createHelp = `
Services create their topics when they start; use this command if they do not have the right to. The numbers of partitions and copies and the
limits come from the configuration (ANNALS_KAFKA_…). An existing topic is unchanged.

Examples:
  annals topics create order
  ANNALS_KAFKA_PARTITIONS_BY_TYPE=order=32 annals topics create order`

export function addTopics(program: Command, cli: Cli): void {
  const topics = program
    .command('topics')
    .description('List, check, create and repartition topics in Kafka.')
    .addHelpText('after', topicsHelp)
  topics
    .command('list')
    .description('List all topics of the domain: partitions, copies, sizes, settings.')
    .addHelpText('after', listHelp)
    .action(async () => cli.report(await list(cli)))
  topics
    .command('check')
    .description('Compare the settings of topics and brokers with the recommended ones.')
    .addHelpText('after', checkHelp)
    .action(async () => cli.report(await check(cli)))
  topics
    .command('create')
    .description('Create the topics of an aggregate type: events, and snapshots if it has any.')
    .argument('<aggregateType>', 'aggregate type of the domain')
    .addHelpText('after', createHelp)
    .action(async (aggregateType: string) => cli.report(await create(cli, aggregateType)))
  addTopicsRepartition(topics, cli)
}

async function inspect({ env }: Cli): Promise<TopicsInspection> {
  const [{ inspectTopics }, { withConnections }] = await Promise.all([
    import('#operations'),
    import('#service'),
  ])
  const config = loadConfig(env)
  return withConnections(config, (connections) => inspectTopics(config, connections))
}

async function list(cli: Cli): Promise<CommandReport> {
  const { listReport } = await import('../reports/topics-report.ts')
  return listReport(await inspect(cli))
}

async function check(cli: Cli): Promise<CommandReport> {
  const { checkReport } = await import('../reports/topics-report.ts')
  return checkReport(await inspect(cli))
}

async function create({ env }: Cli, aggregateType: string): Promise<CommandReport> {
  const [{ createTopics }, { withConnections }] = await Promise.all([
    import('#operations'),
    import('#service'),
  ])
  const config = loadConfig(env)
  return created(
    await withConnections(config, (connections) => createTopics(config, connections, { aggregateType })),
  )
}

const created = (topics: readonly CreatedTopic[]): CommandReport => ({
  document: { topics },
  text: topics
    .map(({ name, partitions, replication, created: isNew }) =>
      isNew
        ? `Created ${name} with ${partitions} partitions, ${replication} ${replication === 1 ? 'copy' : 'copies'} of each`
        : `${name} already exists, with ${partitions} partitions`,
    )
    .join('\n'),
})
