import { styleText } from 'node:util'

import type { Command } from 'commander'

import { loadConfig } from '#config'
import type { Finding } from '#kafka'

import type { Cli, Report } from '../cli.ts'
import { grouped } from '../progress-text.ts'
import { ofCluster } from '../named-cluster.ts'
import { table } from '../table.ts'
import type { CreatedTopic } from '../topics/create-topics.ts'
import type { InspectedTopic, TopicsInspection } from '../topics/inspect-topics.ts'
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
    .action(async () => cli.report(listed(await inspection(cli))))
  topics
    .command('check')
    .description('Compare the settings of topics and brokers with the recommended ones.')
    .addHelpText('after', checkHelp)
    .action(async () => cli.report(checked(await inspection(cli))))
  topics
    .command('create')
    .description('Make the topics of an aggregate type: events, and snapshots where it has any.')
    .argument('<aggregateType>', 'of the domain')
    .addHelpText('after', createHelp)
    .action(async (aggregateType: string) => cli.report(created(await create(cli, aggregateType))))
  addTopicsRepartition(topics, cli)
}

async function inspection({ env }: Cli): Promise<TopicsInspection> {
  const [{ inspectTopics }, { withConnections }] = await Promise.all([
    import('../topics/inspect-topics.ts'),
    import('#service'),
  ])
  const config = loadConfig(env)
  return withConnections(config, (connections) => inspectTopics(connections, config))
}

async function create({ env }: Cli, aggregateType: string): Promise<readonly CreatedTopic[]> {
  const [{ createTopics }, { withConnections }] = await Promise.all([
    import('../topics/create-topics.ts'),
    import('#service'),
  ])
  const config = loadConfig(env)
  return withConnections(config, (connections) => createTopics(connections, config, aggregateType))
}

const listed = ({ cluster, topics, brokers }: TopicsInspection): Report =>
  ofCluster(cluster, {
    document: { topics, brokers },
    text:
      topics.length === 0
        ? 'The domain has no topics: set ANNALS_DOMAIN as for the services'
        : table(['topic', 'role', 'partitions', 'copies', 'bytes', 'settings'], topics.map(row)),
  })

function row({ name, role, found, findings }: InspectedTopic): (string | number)[] {
  if (found === undefined) return [name, role, '', '', '', 'not there yet']
  const settings = findings.length === 0 ? 'as recommended' : `${findings.length} findings: topics check`
  return [name, role, found.partitions, found.replication, grouped(found.bytes), settings]
}

function checked({ cluster, topics, brokers }: TopicsInspection): Report {
  const findings = [...topics.flatMap((topic) => topic.findings), ...brokers]
  const present = topics.filter(({ found }) => found !== undefined).length
  const ending =
    findings.length === 0
      ? present === 0
        ? 'Nothing was checked: none of the topics of the domain (ANNALS_DOMAIN) is there'
        : `${present} topics, all settings and logs as they should be`
      : `${findings.length} findings in ${present} topics and the brokers`
  return ofCluster(cluster, {
    document: { findings, topics: present },
    text: [...findings.map(drawn), ending].join('\n'),
    exitCode: findings.length === 0 && present > 0 ? 0 : 1,
  })
}

const drawn = ({ subject, setting, actual, recommended, why }: Finding): string =>
  `${styleText('red', subject)}: ${setting} is ${actual}, expected ${recommended}: ${why}`

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
