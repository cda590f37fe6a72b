import type { Command } from 'commander'

import type { GenerationInfo, PartitionInfo, ProjectionInfo } from '#projections'

import type { Cli, CommandReport } from '../cli.ts'
import { grouped, progressText } from '../progress/progress-text.ts'
import { listOfPairs, table } from '../table.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

export function addProjectionList(projection: Command, cli: Cli): void {
  const command = projection
    .command('list')
    .description('List all projections: views, lag, stopped partitions, rebuilds.')
    .addHelpText('after', '\nExample:\n  annals projection list')
    .action(async (options: WriterOption) => {
      cli.report(listed(await withClient(options, (client) => client.projections())))
    })
  withWriterOption(command, cli, 'projector')
}

export function addProjectionShow(projection: Command, cli: Cli): void {
  const command = projection
    .command('show')
    .description(
      'Show a projection: its generations, the progress of each in each partition, and why a partition has stopped.',
    )
    .argument('<name>', 'name of the projection')
    .addHelpText('after', '\nExample:\n  annals projection show customer-lifetime')
    .action(async (name: string, options: WriterOption) => {
      cli.report(shown(await withClient(options, (client) => client.projection(name).describe())))
    })
  withWriterOption(command, cli, 'projector')
}

const listed = (projections: readonly ProjectionInfo[]): CommandReport => ({
  document: { projections },
  text:
    projections.length === 0
      ? 'No projections: the domain modules in ANNALS_DOMAIN declare them'
      : table(
          ['projection', 'views', 'lag', 'stopped', 'dead letters', 'rebuild'],
          projections.map(({ name, generations }) => [name, ...summary(generations)]),
        ),
})

function summary(generations: readonly GenerationInfo[]): readonly string[] {
  const rebuilt = generations.find(({ status }) => status === 'building')
  const rebuild = rebuilt === undefined ? '' : progressText(rebuilt.progress)
  const serving = generations.find(({ status }) => status === 'serving')
  if (serving === undefined) return ['none yet', '', '', '', rebuild]
  const lag = serving.partitions.reduce((sum, partition) => sum + partition.lag, 0)
  const counts = [serving.views, lag, stoppedOf(serving).length, serving.deadLetters]
  return [...counts.map(grouped), rebuild]
}

const stoppedOf = ({ partitions }: GenerationInfo): readonly PartitionInfo[] =>
  partitions.filter(({ stopped }) => stopped !== undefined)

function shown(projection: ProjectionInfo): CommandReport {
  const { generations } = projection
  // A generation that is being removed needs no details.
  const lasting = generations.filter(({ status }) => status !== 'retired')
  const parts = [
    headOf(projection),
    generationTable(generations),
    ...lasting.map(partitionTable),
    ...lasting.flatMap(stops),
    ...waits(projection),
  ]
  return { document: projection, text: parts.filter((part) => part !== '').join('\n\n') }
}

const headOf = ({ name, sources, keyedBy, viewVersion, indexes, serving }: ProjectionInfo): string =>
  listOfPairs([
    ['projection', name],
    ['sources', sources.join(', ')],
    ['keyed by', keyedBy === 'stream' ? 'stream' : 'key, across streams'],
    ['view version', viewVersion],
    ['indexes', indexes.join(', ') || 'none'],
    ['serving', serving ?? 'nothing yet'],
  ])

const generationTable = (generations: readonly GenerationInfo[]): string =>
  generations.length === 0
    ? ''
    : table(
        ['generation', 'status', 'view version', 'created', 'views', 'dead letters', 'progress'],
        generations.map(({ id, status, damage, viewVersion, createdAt, views, deadLetters, progress }) => [
          ...[
            id,
            damage === undefined ? status : `${status}, damaged: ${damage}`,
            viewVersion,
            createdAt,
            grouped(views),
            grouped(deadLetters),
          ],
          progressText(progress),
        ]),
      )

const partitionTable = ({ id, partitions }: GenerationInfo): string =>
  table(
    ['generation', 'topic', 'partition', 'checkpoint', 'lag', ''],
    partitions.map(({ topic, partition, checkpoint, lag, stopped }) => [
      ...[id, topic, partition, grouped(checkpoint), grouped(lag)],
      stopped === undefined ? '' : 'stopped',
    ]),
  )

const waits = ({ waitForOperator = [] }: ProjectionInfo): readonly string[] =>
  waitForOperator.map(({ topic, partition, state, reason }) =>
    listOfPairs([
      ['waits at', partition === undefined ? topic : `${topic}/${partition}`],
      ['state', state],
      ['because', reason],
    ]),
  )

const stops = (generation: GenerationInfo): readonly string[] =>
  stoppedOf(generation).map(({ stopped }) =>
    listOfPairs([
      ['stopped at', stopped?.position],
      ['since', stopped?.since],
      ['because', stopped?.error],
    ]),
  )
