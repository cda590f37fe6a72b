import { type Command, Option } from 'commander'

import { loadConfig } from '#config'
import type { DirectAct, JobControl, RepartitionEnd, RepartitionPlan } from '#operations'

import { checkYes, wholeNumber } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { printNotice } from '../print.ts'
import { grouped } from '../progress/progress-text.ts'
import { runJob } from '../run-job.ts'

interface RepartitionCommandOptions {
  readonly partitions?: number
  readonly dryRun?: boolean
  readonly abort?: boolean
  readonly yes?: boolean
}

const help = `
Stop all services (writers, snapshotters, projectors) first: the command fails while one is running, and none starts until it is done. It copies
the events to a second topic and compares them, then recreates the topic, fills it from the copy, and compares again. Streams, versions, event ids
and times stay the same; positions change. After Ctrl-C or a crash the same command resumes; --abort cancels a move that has deleted nothing yet.
Then set ANNALS_KAFKA_PARTITIONS_BY_TYPE for all services and start them: they rebuild index, snapshots and projections.
docs/operations/topics.md describes the whole procedure.

Examples:
  annals topics repartition order --partitions 32 --dry-run
  annals topics repartition order --partitions 32 --yes
  annals topics repartition order --yes
  annals topics repartition order --abort --yes`

export function addTopicsRepartition(topics: Command, cli: Cli): void {
  topics
    .command('repartition')
    .description('Move the events of an aggregate type to another number of partitions, or resume that.')
    .argument('<aggregateType>', 'aggregate type of the domain')
    .addOption(
      new Option('--partitions <count>', 'new number of partitions').argParser(
        wholeNumber('--partitions', 1, 10_000),
      ),
    )
    .addOption(new Option('--dry-run', 'print the plan, change nothing').conflicts('abort'))
    .addOption(new Option('--abort', 'cancel a move that has deleted nothing yet').conflicts('partitions'))
    .option('--yes', 'confirm')
    .addHelpText('after', help)
    .action(async (aggregateType: string, options: RepartitionCommandOptions) => {
      const act = options.dryRun === true ? dryRun : options.abort === true ? abort : repartition
      cli.report(await act(cli, aggregateType, options))
    })
}

async function dryRun(
  cli: Cli,
  type: string,
  { partitions }: RepartitionCommandOptions,
): Promise<CommandReport> {
  if (partitions === undefined) throw new UsageError('--dry-run needs --partitions')
  const [{ planRepartition }, { withConnections }] = await Promise.all([
    import('#operations'),
    import('#service'),
  ])
  const config = loadConfig(cli.env)
  const request = { aggregateType: type, partitions }
  const plan = await runJob(cli, (control: JobControl<'planning'>) =>
    withConnections(
      config,
      (connections) => planRepartition(config, connections, request, control),
      control.signal,
    ),
  )
  return plan.status === 'interrupted' ? notPlanned(type) : planned(plan)
}

async function abort(
  { env, isJson }: Cli,
  type: string,
  options: RepartitionCommandOptions,
): Promise<CommandReport> {
  checkYes(options, `cancel the move of ${type} and delete its copy`)
  const [{ abortRepartition, audited }, { withConnections }] = await Promise.all([
    import('#operations'),
    import('#service'),
  ])
  const config = loadConfig(env)
  const cancel = async () => {
    await withConnections(config, (connections) => abortRepartition(config, connections, type))
    return { status: 'aborted' }
  }
  await audited(config, actOf(type, { abort: true }), cancel, { onNotice: (it) => printNotice(it, isJson) })
  return {
    document: { aggregateType: type, status: 'aborted' },
    text: `The move of ${type} is cancelled: its topic is unchanged, and services can start`,
  }
}

async function repartition(
  cli: Cli,
  type: string,
  options: RepartitionCommandOptions,
): Promise<CommandReport> {
  const { partitions } = options
  const what = partitions === undefined ? 'resume moving' : `move to ${partitions} partitions`
  checkYes(options, `${what} all events of ${type}, while no service can run`)
  const [{ audited, runRepartition }, { withConnections }] = await Promise.all([
    import('#operations'),
    import('#service'),
  ])
  const config = loadConfig(cli.env)
  const request = { aggregateType: type, partitions }
  const end = await runJob(cli, (control: JobControl<'moving'>) => {
    const move = () =>
      withConnections(
        config,
        (connections) => runRepartition(config, connections, request, control),
        control.signal,
      )
    return audited(config, actOf(type, partitions === undefined ? {} : { partitions }), move, control)
  })
  return end.status === 'interrupted' ? interrupted(type) : moved(type, end)
}

const actOf = (type: string, details: DirectAct['details'] & object): DirectAct => ({
  ...{ type: 'annals.topic.repartitioned', resource: `${type}.*`, operation: 'annals topics repartition' },
  details,
})

type Planned = Extract<RepartitionPlan, { readonly status: 'planned' }>
type Moved = Extract<RepartitionEnd, { readonly status: 'moved' }>

function planned({ topic, from, to, events, perPartition, bytes, atWork }: Planned): CommandReport {
  const busy = atWork.map(
    ({ service, groupId, members }) => `Stop every ${service} first: group ${groupId} has ${members} members`,
  )
  return {
    document: { topic, from, to, perPartition, events, bytes, atWork },
    text: [
      `${topic} would be moved from ${from} to ${to} partitions: ${grouped(events)} events, ${grouped(Math.min(...perPartition))} to ${grouped(Math.max(...perPartition))} in each`,
      `The copy takes about ${grouped(bytes)} more bytes on the disks of the brokers until the move is done`,
      'Services rebuild snapshots, projections and the index of the type afterwards',
      ...busy,
      'Nothing was changed',
    ].join('\n'),
  }
}

const moved = (type: string, { from, to, events, tookMs }: Moved): CommandReport => ({
  document: { aggregateType: type, status: 'moved', from, to, events, tookMs: Math.round(tookMs) },
  text: [
    `Moved ${grouped(events)} events of ${type} from ${from} to ${to} partitions and compared each, in ${(tookMs / 1_000).toFixed(1)} s`,
    `Before services start: set ANNALS_KAFKA_PARTITIONS_BY_TYPE=${type}=${to} for all of them (unless ANNALS_KAFKA_PARTITIONS is ${to}). Then run \`annals verify ${type}\``,
  ].join('\n'),
})

const interrupted = (type: string): CommandReport => ({
  document: { aggregateType: type, status: 'interrupted' },
  text: `Interrupted; nothing is lost. No service of ${type} starts until the move is done: \`annals topics repartition ${type} --yes\` resumes it, --abort cancels it if nothing was deleted yet`,
  exitCode: 130,
})

const notPlanned = (type: string): CommandReport => ({
  document: { aggregateType: type, status: 'interrupted' },
  text: 'Interrupted; nothing was changed. Run the same command again',
  exitCode: 130,
})
