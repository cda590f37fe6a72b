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

/** A member and its callbacks, in order. */
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

  /** Waits until these members own all partitions, evenly, and the table agrees. */
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

  test('belongs to a single member completely, and the table shows its address', async () => {
    const alone = await join('one')
    await settled(alone)
    const table = await alone.ownership.ownersTable()
    expect([...table.keys()].sort()).toEqual([...alone.owned].sort())
    expect(alone.ownership.partitions.map(partitionKey).sort()).toEqual([...alone.owned].sort())
  })

  test('moves as few partitions as possible when members join and leave', async () => {
    // Long enough that no session ends during the test.
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
    // Within half of its session time-out, because it has left explicitly.
    await settled(one, two)
    expect([...before[0]].every((key) => one.owned.has(key))).toBe(true)
    expect([...before[1]].every((key) => two.owned.has(key))).toBe(true)
  })

  test('moves from a silent member to the others, and back when it responds again', async () => {
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
    await waitFor('the first to own everything', () => Promise.resolve(one.owned.size === 16), {
      timeoutMs: 20_000,
    })
    expect([...kept].every((key) => one.owned.has(key))).toBe(true)
    // The silent member cannot know, and continues until it is fenced.
    expect(two.owned.size).toBe(8)

    await proxy.open(port)
    await settled(one, two)
  })

  test('is given to a member only once the leader can verify it', async () => {
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

  test('of a group without members is an empty table', async () => {
    expect(await readOwners(cluster, uniqueName('empty'))).toEqual(new Map())
  })

  test('cannot start in an unreachable cluster', async () => {
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
