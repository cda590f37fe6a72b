import { eventTopic, partitionFor } from '#domain'

import { repository, runCommand, until } from '../../../../scripts/stack/index.ts'
import { waitForServices } from '../cluster/settle.ts'
import { partitions, type System } from '../cluster/system.ts'
import { deleteHead, recreateTopic } from '../cluster/topics.ts'
import { leadersOf, readPartition } from '../plain-kafka/index.ts'
import type { Fault } from './fault.ts'

const commandMsMax = 120_000

/** Services keep running and report the state of the type. Then all of them restart, as the docs say. */
const topicRecreated: Fault = {
  name: 'topic deleted and created again',
  weight: 1,
  isOnce: true,
  forMs: [1_000, 6_000],
  strike: async (scene) => {
    const { system, random } = scene
    const type = random.pick(system.domain.types)
    const goneAtMs = await recreateTopic(system, type)
    await scene.hold()
    await system.restartServices()
    await waitForServices(system)
    system.decrees.recreated.push({ type, goneAtMs, servedAtMs: performance.now() })
    return eventTopic(type)
  },
}

/**
 * Half of the batches of a busy partition are deleted, then the index is lost. An operator accepts the loss, as the
 * docs say.
 */
const headDeleted: Fault = {
  name: 'head of a log deleted, then the index lost',
  weight: 1,
  isOnce: true,
  forMs: [1_000, 5_000],
  strike: async (scene) => {
    const { system, streams } = scene
    // The type without projections: the expected content of its views could not be determined.
    const type = system.domain.types[1] ?? ''
    const topic = eventTopic(type)
    const stream = streams.hot.find((each) => each.startsWith(`${type}.`)) ?? ''
    const partition = partitionFor(stream, partitions)
    const startOffset = await middleOf(system, topic, partition)
    if (startOffset === undefined) return `${topic}/${partition} has too few batches`
    await deleteHead(system, topic, partition, startOffset)
    system.decrees.shortened.push({ topic, partition, partitions, startOffset, atMs: performance.now() })
    await Promise.all(system.redisNodes.map((node) => node.command('FLUSHALL')))
    await scene.hold()
    const command = ['index', 'rebuild', type, '--accept-deleted-events', '--yes']
    const options = { cwd: repository, timeoutMs: commandMsMax, env: system.operatorEnv }
    await until('an operator accepts the loss', commandMsMax, () =>
      runCommand(process.execPath, ['services/cli/main.ts', ...command], options).then(() => true),
    )
    return `${topic}/${partition} before offset ${startOffset}`
  },
}

/** The start of a batch, so that no batch is split. */
async function middleOf({ servers }: System, topic: string, partition: number): Promise<number | undefined> {
  const leaders = await leadersOf(servers.brokers, topic)
  const { batches } = await readPartition(leaders[partition] ?? '', { topic, partition })
  const data = batches.filter(({ isMarker }) => !isMarker)
  return data.length < 4 ? undefined : data[Math.floor(data.length / 2)]?.firstOffset
}

export const topicFaults: readonly Fault[] = [topicRecreated, headDeleted]
