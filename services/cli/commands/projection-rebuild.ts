import { type Command, Option } from 'commander'

import type { AnnalsClient } from '#client'
import { parsePosition, type Position } from '#domain'
import { EventStoreError } from '#event-store'
import type { GenerationInfo, RebuildOptions } from '#projections'

import { time } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { noDisplay, progressDisplay } from '../progress/progress-display.ts'
import { type RebuildEnd, watchRebuild } from '../watch-rebuild.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

interface RebuildCommandOptions extends WriterOption {
  readonly untilTime?: string
  readonly untilPosition?: Position
  /** False by --no-wait. */
  readonly wait: boolean
}

const help = `
Builds a new generation while readers get the old one. When the new one has caught up, it replaces the old one in one
step. With --until-time or --until-position the generation is a view of the past: read it with \`projection view
--generation\`, and discard it when you no longer need it. Ctrl-C stops watching, never the rebuild.

Examples:
  annals projection rebuild customer-lifetime
  annals projection rebuild customer-lifetime --no-wait
  annals projection rebuild monthly-revenue --until-time 2026-01-31T12:00:00Z`

export function addProjectionRebuild(projection: Command, cli: Cli): void {
  const command = projection
    .command('rebuild')
    .description('Rebuild all views while readers get the old ones, and show the progress.')
    .argument('<name>', 'name of the projection')
    .addOption(
      new Option('--until-time <time>', 'a view of the past: events before this time, ISO 8601')
        .argParser(time('--until-time'))
        .conflicts('untilPosition'),
    )
    .addOption(
      new Option(
        '--until-position <position>',
        'a view of the past: up to and including this event; in other partitions up to its time',
      ).argParser(parsePosition),
    )
    .option('--no-wait', 'do not wait for the rebuild')
    .addHelpText('after', help)
    .action(async (name: string, options: RebuildCommandOptions) => {
      cli.report(await withClient(options, (client) => rebuild(client, cli, name, options)))
    })
  withWriterOption(command, cli, 'projector')
}

export async function rebuild(
  client: AnnalsClient,
  cli: Cli,
  name: string,
  options: RebuildCommandOptions,
): Promise<CommandReport> {
  const { generation } = await client.projection(name).rebuild(rebuildOptions(options))
  if (!options.wait) {
    const text = `The rebuild of ${name} has started as generation ${generation}. ${progressHint(name)}`
    return { document: { projection: name, generation }, text }
  }
  const { end, last } = await watch(client, cli, name, generation)
  return reportOf(name, generation, end, last)
}

const rebuildOptions = ({ untilTime, untilPosition }: RebuildCommandOptions): RebuildOptions => ({
  ...(untilTime !== undefined && { untilTime }),
  ...(untilPosition !== undefined && { untilPosition }),
})

const progressHint = (name: string): string => `\`annals projection show ${name}\` shows its progress`

/** A second Ctrl-C ends the process. */
async function watch(client: AnnalsClient, { isJson }: Cli, name: string, generation: string) {
  const leaving = new AbortController()
  const leave = () => leaving.abort()
  process.once('SIGINT', leave)
  try {
    return await watchRebuild({
      describe: () => client.projection(name).describe(),
      generation,
      display: isJson ? noDisplay : progressDisplay(process.stderr),
      signal: leaving.signal,
    })
  } catch (error) {
    throw withGeneration(error, name, generation)
  } finally {
    process.removeListener('SIGINT', leave)
  }
}

/** The error, with the generation that was started before it. */
function withGeneration(error: unknown, name: string, generation: string): unknown {
  if (!(error instanceof EventStoreError)) return error
  const message = `${error.message}. The rebuild of ${name} was started as generation ${generation}: ${progressHint(name)}`
  return new EventStoreError(error.code, message, error.details, { cause: error.cause })
}

function reportOf(
  name: string,
  generation: string,
  end: RebuildEnd,
  last: GenerationInfo | undefined,
): CommandReport {
  const { text, exitCode } = ends[end](name, generation, last)
  return {
    document: {
      projection: name,
      generation,
      end,
      ...(last && { status: last.status, progress: last.progress }),
    },
    text,
    exitCode,
  }
}

type Ending = Required<Pick<CommandReport, 'text' | 'exitCode'>>

const ends: Readonly<
  Record<RebuildEnd, (name: string, generation: string, last: GenerationInfo | undefined) => Ending>
> = {
  done: (name, generation, last) => ({
    text:
      last?.status === 'kept'
        ? `${name} of that time is generation ${generation}: read it with --generation, then discard it`
        : `${name} is rebuilt: readers get generation ${generation}`,
    exitCode: 0,
  }),
  'given-up': (name, generation) => ({
    text: `Generation ${generation} of ${name} was given up: it was discarded, or another rebuild replaced it`,
    exitCode: 1,
  }),
  stopped: (name, generation) => ({
    text: `Generation ${generation} of ${name} has stopped at events that cannot be applied: \`annals projection show ${name}\` shows them and the reason. Fix it, then run \`annals projection resume ${name}\``,
    exitCode: 1,
  }),
  unwatched: (name, generation) => ({
    text: `The rebuild of ${name} continues as generation ${generation}. ${progressHint(name)}`,
    exitCode: 130,
  }),
}
