import { connectRedis, type RedisSettings } from '#redis-index'

import { fail, type DoctorFinding, ok, warn } from './finding.ts'

/** The oldest major version that the tests run against. */
const oldestMajor = 7

/** Checks version, persistence and eviction of Redis. In a cluster one node answers. */
export async function checkRedis(settings: RedisSettings): Promise<readonly DoctorFinding[]> {
  const redis = connectRedis(settings)
  try {
    await redis.ready()
    return judgeRedis(parseInfo(String(await redis.call('INFO', []))))
  } finally {
    redis.close()
  }
}

type Info = Readonly<Record<string, string>>

/** `name:value` lines; headings begin with `#`. */
export const parseInfo = (text: string): Info =>
  Object.fromEntries(
    text.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':')
      return colon < 0 || line.startsWith('#') ? [] : [[line.slice(0, colon), line.slice(colon + 1)]]
    }),
  )

export const judgeRedis = (info: Info): DoctorFinding[] => [
  version(info),
  ...persistence(info),
  eviction(info),
]

function version({ redis_version: found = 'unknown' }: Info): DoctorFinding {
  if (Number.parseInt(found) >= oldestMajor) return ok('Redis', `version ${found}`)
  return warn('Redis', `version ${found} is not tested`, `Run Redis ${oldestMajor} or newer`)
}

function persistence(info: Info): DoctorFinding[] {
  if (info['aof_enabled'] !== '1') {
    const message =
      'the append-only file is off: a restart empties the index, and appends wait until it is rebuilt'
    return [fail('Redis persistence', message, 'Set appendonly yes')]
  }
  const failed = ['aof_last_write_status', 'aof_last_bgrewrite_status'].filter(
    (status) => (info[status] ?? 'ok') !== 'ok',
  )
  if (failed.length === 0) return [ok('Redis persistence', 'the append-only file is enabled and writable')]
  const remedy = 'See the log of Redis: usually its disk is full'
  return failed.map((status) => fail('Redis persistence', `${status} is ${info[status] ?? ''}`, remedy))
}

function eviction({ maxmemory_policy: policy = 'unknown' }: Info): DoctorFinding {
  if (policy === 'noeviction' || policy.startsWith('volatile-')) {
    return ok('Redis eviction', `${policy}: versions and offsets are never evicted`)
  }
  const message = `maxmemory-policy is ${policy}: versions and offsets can be evicted, and partitions cannot serve until they are rebuilt`
  return fail('Redis eviction', message, 'Set maxmemory-policy to volatile-lfu')
}
