import { loadConfig } from '#config'
import { eventTopic } from '#domain'

import type { Cli, Report } from '../cli.ts'
import { CommandError, type Failure, failureOf } from '../failure.ts'
import { interruptible } from '../interruption.ts'
import { ofCluster } from '../named-cluster.ts'
import { noDisplay, type ProgressDisplay, progressDisplay } from '../progress-display.ts'
import { type OpenReplay, withReplay } from '../replay/open-replay.ts'
import { requestOf } from '../replay/parse-request.ts'
import type { ReplayEnd } from '../replay/replay.ts'
import type { ReplayCommandOptions } from '../replay/replay-command-options.ts'
import type { ReplayRequest } from '../replay/replay-request.ts'
import { howFar, howToResume, summaryOf } from '../replay/summary.ts'
import { watchReplay } from '../replay/watch-replay.ts'

/** Replays events as the options say. @throws whatever {@link failureOf} translates, with how to go on. */
export async function replayEvents(
  cli: Cli,
  aggregateType: string | undefined,
  options: ReplayCommandOptions,
): Promise<Report> {
  const request = requestOf(aggregateType, options)
  const config = loadConfig(cli.env)
  const replaying = withReplay(config, request, process.stdout, async (opened) => {
    for (const warning of opened.warnings) process.stderr.write(`warning: ${warning}\n`)
    const startMs = performance.now()
    const ended = await watchReplay(opened.progress, displayFor(cli, request), () =>
      interruptible((signal) => opened.run(signal)),
    )
    return told(request, opened, ended, (performance.now() - startMs) / 1_000)
  })
  return replaying.catch((error: unknown) => {
    throw withRights(failureOf(error), error)
  })
}

/** Whoever lacks a right is told where to find which ones it takes. */
function withRights({ message, ...failure }: Failure, cause: unknown): CommandError {
  const { kafkaCode = '' } = (failure.details ?? {}) as { readonly kafkaCode?: string }
  const advice = kafkaCode.endsWith('_AUTHORIZATION_FAILED')
    ? '. docs/operations/replay.md tells which rights a replay needs'
    : ''
  return new CommandError({ ...failure, message: `${message}${advice}` }, { cause })
}

/** On a terminal that shows the events themselves a bar would stand between them. */
function displayFor({ isJson }: Cli, { destination, dryRun }: ReplayRequest): ProgressDisplay {
  const isCrowded = destination.kind === 'stdout' && !dryRun && process.stdout.isTTY
  return isJson || isCrowded ? noDisplay : progressDisplay(process.stderr)
}

function told(
  request: ReplayRequest,
  { cluster, progress }: OpenReplay,
  ended: ReplayEnd,
  seconds: number,
): Report {
  const topic = eventTopic(request.aggregateType)
  const { document, text } = summaryOf(request, topic, progress, ended.end, seconds)
  if (ended.end === 'failed') {
    const { message, details, ...failure } = failureOf(ended.error)
    const advice = `${howFar(progress, topic)}. ${howToResume(request, progress)}`
    throw new CommandError(
      { ...failure, message: `${message}. ${advice}`, details: { ...details, ...document } },
      { cause: ended.error },
    )
  }
  const isAside = request.destination.kind === 'stdout'
  if (ended.end === 'done') return ofCluster(cluster, { document, text, isAside })
  const lines = [text, `Interrupted. ${howToResume(request, progress)}`]
  return ofCluster(cluster, { document, text: lines.join('\n'), isAside, exitCode: 130 })
}
