import { expect, test } from 'vitest'

import { type FenceProof, LogError } from '#kafka'

import { judgeFence } from './check-fence.ts'
import { judgeRedis, parseInfo } from './check-redis.ts'

const sound: FenceProof = {
  firstOffset: 1,
  repeatedOffset: 1,
  zombieRefusal: new LogError('fenced', 'refused', { kafkaCode: 'INVALID_PRODUCER_EPOCH' }),
  values: ['first', 'second'],
}
const failed = (proof: Partial<FenceProof>) =>
  judgeFence({ ...sound, ...proof }).flatMap(({ status, subject }) => (status === 'fail' ? [subject] : []))

test.each<[string, Partial<FenceProof>, string[]]>([
  ['a sound cluster', {}, []],
  ['a zombie that was answered with success', { zombieRefusal: undefined }, ['fence']],
  ['a zombie whose event is in the log', { values: ['first', 'zombie', 'second'] }, ['fence']],
  ['a duplicate that got another offset', { repeatedOffset: 2 }, ['duplicates']],
  ['a duplicate that is in the log twice', { values: ['first', 'first', 'second'] }, ['duplicates']],
  ['a missing event of the next owner', { values: ['first'] }, ['take-over']],
])('%s is judged', (_, proof, subjects) => {
  expect(failed(proof)).toEqual(subjects)
})

const info =
  '# Server\r\nredis_version:7.0.15\r\n\r\n# Persistence\r\naof_enabled:1\r\naof_last_write_status:ok\r\nmaxmemory_policy:volatile-lfu\r\n'
const judged = (change: (text: string) => string) =>
  judgeRedis(parseInfo(change(info))).map(({ status }) => status)

test.each<[string, (text: string) => string, string[]]>([
  ['that is sound', (text) => text, ['ok', 'ok', 'ok']],
  ['that evicts nothing', (text) => text.replace('volatile-lfu', 'noeviction'), ['ok', 'ok', 'ok']],
  ['of an older version', (text) => text.replace('7.0.15', '6.2.1'), ['warn', 'ok', 'ok']],
  ['without its file', (text) => text.replace('aof_enabled:1', 'aof_enabled:0'), ['ok', 'fail', 'ok']],
  ['that cannot write it', (text) => text.replace('status:ok', 'status:err'), ['ok', 'fail', 'ok']],
  ['that evicts anything', (text) => text.replace('volatile', 'allkeys'), ['ok', 'ok', 'fail']],
  ['that reports nothing', () => '', ['warn', 'fail', 'fail']],
])('a Redis %s is judged', (_, change, statuses) => {
  expect(judged(change)).toEqual(statuses)
})
