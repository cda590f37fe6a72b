import { loadConfig } from '#config'
import { audited, type DirectAct, type ReplayControl, type ReplayRequest, runReplay } from '#operations'

import type { Cli, CommandReport } from '../cli.ts'
import { requestOf } from '../replay-request.ts'
import type { ReplayCommandOptions } from '../replay-command-options.ts'
import { replayReport } from '../reports/replay-report.ts'
import { runJob } from '../run-job.ts'

/** Replays events. @throws the error of a failed replay; its message says how to resume. */
export async function replayEvents(
  cli: Cli,
  aggregateType: string | undefined,
  options: ReplayCommandOptions,
): Promise<CommandReport> {
  const request = requestOf(aggregateType, options)
  const connections = { config: loadConfig(cli.env), lines: process.stdout }
  const isQuiet = cli.isJson || isCrowded(request)
  const job = (control: ReplayControl) => {
    const replay = () => runReplay(connections, request, control)
    const act = actOf(request)
    return act === undefined ? replay() : audited(connections.config, act, replay, control)
  }
  return replayReport(request, await runJob(cli, job, { isQuiet }))
}

/** Whether events go to the terminal, where a progress bar would appear between them. */
const isCrowded = ({ destination, dryRun }: ReplayRequest): boolean =>
  destination.kind === 'stdout' && !dryRun && process.stdout.isTTY

/** Only a replay to a topic changes anything in Kafka. */
function actOf({ aggregateType, destination, dryRun }: ReplayRequest): DirectAct | undefined {
  if (destination.kind !== 'topic' || dryRun) return undefined
  return {
    ...{ type: 'annals.topic.replayed-to', resource: `topic:${destination.name}` },
    ...{ operation: 'annals replay --to-topic', details: { from: aggregateType } },
  }
}
