import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { eventTopic } from '#domain'

import type { RunningWriter } from '../contenders/core.ts'
import { scaleType } from './fill.ts'

/** `used_memory` of Redis, in bytes. */
export async function redisBytes({ backends }: RunningWriter): Promise<number> {
  const info = String(await backends.redis.call('INFO', ['memory']))
  const used = /^used_memory:(\d+)/m.exec(info)?.[1]
  if (used === undefined) throw new Error('Redis does not report its memory')
  return Number(used)
}

/**
 * The size of the segments of the events' topic, without their indexes, which Kafka allocates ahead.
 * @param kafkaFolder the folder of one broker
 */
export async function logBytes(kafkaFolder: string): Promise<number> {
  const data = join(kafkaFolder, 'log')
  const partitions = (await readdir(data)).filter((name) => name.startsWith(`${eventTopic(scaleType)}-`))
  const sizes = await Promise.all(partitions.map((name) => segmentBytes(join(data, name))))
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function segmentBytes(partition: string): Promise<number> {
  const segments = (await readdir(partition)).filter((name) => name.endsWith('.log'))
  const sizes = await Promise.all(segments.map(async (name) => (await stat(join(partition, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
