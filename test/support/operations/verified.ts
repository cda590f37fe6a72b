import { expect } from 'vitest'

import type { VerifyFinding } from '#operations'
import { cliHere } from '../cli/cli-here.ts'
import { testClient } from '../services/closing.ts'
import { openDirectBackends } from '../append/past-the-writer.ts'
import type { Installation } from '../services/real-writer.ts'
import {
  freshStream,
  purchases,
  runningWriter,
  streamPerPartition,
  testInstallation,
} from '../services/writer-fixture.ts'

/** How many partitions the topics of {@link env} have. */
export const partitions = 2
export const env = { ANNALS_KAFKA_PARTITIONS: String(partitions) }

/** What `verify` reported, and its exit code. */
export interface Verified {
  readonly exitCode: number | null
  readonly findings: readonly VerifyFinding[]
  readonly findingsTotal: number
  readonly counts: Readonly<Record<string, number>>
}

/** Runs `verify` with these arguments. */
export async function verified({ env }: Installation, ...args: string[]): Promise<Verified> {
  const end = await cliHere(env)(['verify', ...args, '--json'])
  expect(end.stderr).toBe('')
  return { ...(end.json() as unknown as Verified), exitCode: end.exitCode }
}

/** Findings as code, stream and version, without their places. */
export const foundIn = ({ findings }: Verified) =>
  findings.map(({ code, where }) => [code, where.streamId, where.version])

/** Streams with events in every partition, and no running service. */
export async function atRest(events = 3, streams = 4) {
  const where = testInstallation(env)
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const others = Array.from({ length: streams - partitions }, () => freshStream(where.type))
  const ids = [...streamPerPartition(where.type, partitions), ...others]
  for (const streamId of ids) await client.append(streamId, purchases(events))
  await writer.close()
  return { where, streams: ids, hands: await openDirectBackends(where) }
}
