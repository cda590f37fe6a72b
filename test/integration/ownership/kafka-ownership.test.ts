import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { partitionKey, type TopicPartition } from '#domain'
import {
  KafkaCluster,
  type KafkaSettings,
  GroupMembership,
  type GroupMembershipOptions,
  readOwners,
  Topics,
} from '#kafka'

import { KafkaProxy } from '../../support/kafka/kafka-proxy.ts'
import { testStack, uniqueName, waitFor } from '../../support/stack/stack.ts'

/** A member and what it was told, in the order in which it was told. */
interface Member {
  readonly url: string
  readonly ownership: GroupMembership
  readonly owned: Set<string>
  readonly problems: unknown[]
}

describe('ownership', () => {
  const settings: KafkaSettings = { brokers: testStack().kafkaBrokers, clientId: 'ownership' }
  let cluster: KafkaCluster
  let groupId: string
  let topics: string[]
  const members: Member[] = []
  const clusters: KafkaCluster[] = []
  const proxies: KafkaProxy[] = []

  beforeEach(async () => {
    cluster = await KafkaCluster.connect(settings)
    groupId = uniqueName('group')
    topics = [uniqueName('eventstore.a'), uniqueName('eventstore.b')]
    await new Topics(cluster).ensure(
      topics.map((name) => ({ name, partitions: 8, replication: 1, configs: {} })),
    )
  })

  afterEach(async () => {
    await Promise.all(members.splice(0).map(({ ownership }) => ownership.stop()))
    await Promise.all([cluster, ...clusters.splice(0)].map((open) => open.close()))
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()))
  })

  async function join(
    name: string,
    at = cluster,
    sessionTimeoutMs = 6_000,
    more: Partial<GroupMembershipOptions> = {},
  ): Promise<Member> {
    const owned = new Set<string>()
    const problems: unknown[] = []
    const url = `http://${name}:7400`
    const ownership = new GroupMembership({
      cluster: at,
      groupId,
      topics,
      advertisedUrl: url,
      sessionTimeoutMs,
      startTimeoutMs: 5_000,
      onAssigned: (partitions: readonly TopicPartition[]) => {
        for (const key of partitions.map(partitionKey)) {
          expect(owned).not.toContain(key)
          owned.add(key)
        }
      },
      onRevoked: (partitions: readonly TopicPartition[]) => {
        for (const key of partitions.map(partitionKey)) expect(owned.delete(key)).toBe(true)
      },
      onProblem: (problem) => problems.push(problem),
      ...more,
    })
    const member = { url, ownership, owned, problems }
    members.push(member)
    await ownership.start()
    return member
  }

  /** Waits until these own everything, evenly, and the table says the same. */
  async function settled(...expected: readonly Member[]): Promise<void> {
    const share = Math.floor(16 / expected.length)
    await waitFor(
      `${expected.length} members to share 16 partitions`,
      async () => {
        const table = await readOwners(cluster, groupId)
        return (
          table?.size === 16 &&
          expected.every(({ owned }) => owned.size === share || owned.size === share + 1) &&
          expected.every(({ owned, url }) => [...owned].every((key) => table.get(key)?.url === url))
        )
      },
      { timeoutMs: 30_000 },
    )
  }

  const moved = (member: Member, before: ReadonlySet<string>): number =>
    [...member.owned].filter((key) => !before.has(key)).length

  test('is all of a member that is alone, and the table shows its address', async () => {
    const alone = await join('one')
    await settled(alone)
    const table = await alone.ownership.ownersTable()
    expect([...table.keys()].sort()).toEqual([...alone.owned].sort())
    expect(alone.ownership.partitions.map(partitionKey).sort()).toEqual([...alone.owned].sort())
  })

  test('moves no more than it must when members come and leave', async () => {
    // So long that nothing here comes of a session that has ended.
    const sessionTimeoutMs = 60_000
    const one = await join('one', cluster, sessionTimeoutMs)
    const two = await join('two', cluster, sessionTimeoutMs)
    await settled(one, two)
    const [ofOne, ofTwo] = [new Set(one.owned), new Set(two.owned)]
    const three = await join('three', cluster, sessionTimeoutMs)
    await settled(one, two, three)
    expect(moved(one, ofOne) + moved(two, ofTwo)).toBe(0)
    expect(three.owned.size).toBeLessThanOrEqual(6)

    const before = [new Set(one.owned), new Set(two.owned)] as const
    await three.ownership.stop()
    // Within half of its session: it has said that it leaves.
    await settled(one, two)
    expect([...before[0]].every((key) => one.owned.has(key))).toBe(true)
    expect([...before[1]].every((key) => two.owned.has(key))).toBe(true)
  })

  test('of a member that falls silent goes to the others, and comes back to it when it is heard again', async () => {
    const one = await join('one')
    const proxy = await KafkaProxy.start(testStack().kafkaBrokers[0] ?? '')
    proxies.push(proxy)
    const behind = await KafkaCluster.connect({ ...settings, brokers: [proxy.address] })
    clusters.push(behind)
    const two = await join('two', behind)
    await settled(one, two)
    const { port } = proxy
    const kept = new Set(one.owned)

    await proxy.close()
    await waitFor('everything to be with the first', () => Promise.resolve(one.owned.size === 16), {
      timeoutMs: 20_000,
    })
    expect([...kept].every((key) => one.owned.has(key))).toBe(true)
    // The silent one cannot know, and goes on until it is fenced.
    expect(two.owned.size).toBe(8)

    await proxy.open(port)
    await settled(one, two)
  })

  test('is given to nobody that the leader cannot verify, and to it once it can', async () => {
    const foreign: string[] = []
    let isThere = false
    const leader = await join('one', cluster, 6_000, {
      verifyPeer: () => Promise.resolve(isThere ? 'verified' : 'refuted'),
      onForeign: (_, fresh) => foreign.push(...fresh.map(({ reason }) => reason)),
    })
    const leftOut = await join('two', cluster, 6_000, { leftOutMs: 1_000 })
    await waitFor('the second to notice', () => Promise.resolve(leftOut.problems.length > 0), {
      timeoutMs: 30_000,
    })
    expect(leader.owned.size).toBe(16)
    expect(String(leftOut.problems[0])).toContain('was given no partitions, though there are enough')
    expect(foreign[0]).toBe('another process answers at its URL: http://two:7400')
    isThere = true
    await settled(leader, leftOut)
    expect((await leader.ownership.ownersTable()).size).toBe(16)
  })

  test('of nobody is an empty table', async () => {
    expect(await readOwners(cluster, uniqueName('nobody'))).toEqual(new Map())
  })

  test('cannot start in a cluster that is not there', async () => {
    const proxy = await KafkaProxy.start(testStack().kafkaBrokers[0] ?? '')
    const behind = await KafkaCluster.connect({
      ...settings,
      brokers: [proxy.address],
      connectTimeoutMs: 500,
    })
    clusters.push(behind)
    await proxy.close()
    await expect(join('lost', behind)).rejects.toMatchObject({
      name: 'LogError',
      outcome: 'unavailable',
    })
  })
})
