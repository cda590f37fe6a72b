import { type Resource, resourceText } from '#access'

import { commandReach } from './command-reach.ts'
import type { ApiNeed, CommandReach, Use } from './reach.ts'

const intro = `# Rights of commands

<!-- Generated from services/cli/reach by \`npm run docs:rights\`; a test checks that it is current. -->

What each command of \`./annals\` reaches, and the rights that it needs there.
A command that reaches Kafka, Redis or the registry directly is limited by their rights, not by [roles](../guide/access.md).
Give each operator a user of their own in Kafka.
The rights of services are in the [production checklist](production.md#kafka).

`

const kafkaIntro = `## Kafka

A test runs these commands with exactly these rights, on a Kafka that denies everything else.
If a right is missing, the error says which rights the command needs.

- A name that ends with \`*\` is a prefix.
  A command that is given one aggregate type needs the rights on the topics of that type only, e.g. \`eventstore.order\`.
- Names are those of the default settings.
  Yours differ with \`ANNALS_ACCESS_TOPIC\`, \`ANNALS_AUDIT_TOPIC\`, \`ANNALS_WRITER_GROUP\`, \`ANNALS_SNAPSHOTTER_GROUP\` and \`ANNALS_PROJECTOR_GROUP\`.
- \`Read\`, \`Write\` and \`Delete\` include \`Describe\`; \`Create\` does not, and is not needed on topics that exist.
- With access control (\`ANNALS_ACCESS\` is \`file\` or \`topic\`) a command that changes something adds an entry to the [audit trail](audit.md).

`

const otherIntro = `## Redis, registry and PostgreSQL

Keys in Redis begin with \`{\` and the prefix in \`ANNALS_REDIS_KEY_PREFIX\`: \`{annals:…\`.
A command that only connects to Redis fails if Redis does not answer.
PostgreSQL is used only if it keeps the views (\`ANNALS_PROJECTOR_STORE=postgres\`).

`

const apiIntro = `## HTTP API

These commands send requests to services, and need a credential whose [roles](../guide/access.md) grant the action.

`

const noneIntro = `## Nothing

These commands use only files of the machine that they run on:

`

/** The text of docs/operations/rights.md, before it is formatted. */
export const rightsReference = (): string =>
  [
    intro,
    ...[kafkaIntro, ...kafkaTables()],
    ...[otherIntro, tableOf(['command', 'Redis', 'registry', 'PostgreSQL'], otherRows()), '\n'],
    ...[apiIntro, tableOf(['command', 'service', 'action', 'on', 'when'], apiRows()), '\n'],
    ...[noneIntro, ...commandsWithout()],
  ].join('')

type Row = readonly string[]

const entries = Object.entries(commandReach)

/** Commands that need the same, in one row each. */
const grouped = <T>(needsOf: (reach: CommandReach) => T): readonly (readonly [string, T])[] => {
  const groups = Map.groupBy(entries, ([, reach]) => JSON.stringify(needsOf(reach) ?? null))
  return [...groups.values()].map((group) => [
    group.map(([path]) => code(path)).join(', '),
    needsOf((group[0] as (typeof entries)[number])[1]),
  ])
}

/** A table for each group of commands. */
const kafkaTables = (): readonly string[] =>
  grouped(({ kafka = [] }) => kafka)
    .filter(([, kafka]) => kafka.length > 0)
    .map(([commands, kafka]) => {
      const rows = kafka.map(({ resource, name, rights, when }) => [
        ...[resource, code(name), rights.map(code).join(', '), whenText(when)],
      ])
      return `**${commands}**\n\n${tableOf(['what', 'name', 'rights', 'when'], rows)}\n`
    })

const otherRows = (): Row[] =>
  grouped(({ redis, registry, views }) => [redis, registry, views])
    .filter(([, uses]) => uses.some((use) => use !== undefined))
    .map(([commands, uses]) => [commands, ...uses.map(useText)])

const useText = (use: Use | undefined): string => {
  if (use === undefined) return ''
  return use.when === undefined ? use.does : `${use.does}, ${whenText(use.when)}`
}

const apiRows = (): Row[] =>
  grouped(({ api = [] }) => api).flatMap(([commands, api]) => api.map((need) => apiRow(commands, need)))

const apiRow = (commands: string, { service, actions, on, when }: ApiNeed): Row => [
  ...[commands, service, actions.map(code).join(' or ') || 'any credential'],
  ...[on === undefined ? '' : code(resourceText(examples[on])), whenText(when)],
]

/** Options and settings in a condition are code. */
const whenText = (when = 'always'): string => when.replaceAll(/--[a-z-]+( <name>)?|ANNALS_[A-Z_]+=\w+/g, code)

const examples: Readonly<Record<Resource['kind'], Resource>> = {
  stream: { kind: 'stream', type: 'order', id: '42' },
  category: { kind: 'category', type: 'order' },
  type: { kind: 'type', type: 'order' },
  projection: { kind: 'projection', name: 'loans' },
  user: { kind: 'user', name: 'ada' },
  installation: { kind: 'installation' },
}

const commandsWithout = (): readonly string[] =>
  entries.filter(([, reach]) => reachesNothing(reach)).map(([path]) => `- ${code(path)}\n`)

const reachesNothing = (reach: CommandReach): boolean => Object.keys(reach).length === 0

function code(text: string): string {
  return `\`${text}\``
}

const tableOf = (head: Row, rows: readonly Row[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('')
