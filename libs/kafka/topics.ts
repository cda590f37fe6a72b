import {
  ConfigResourceTypes,
  ConfigSources,
  createTopicsV7,
  deleteTopicsV6,
  describeConfigsV4,
  describeLogDirsV4,
} from '@platformatic/kafka'

import { deadlineIn } from '#async'
import { aggregateTypeOfTopic, isEventTopic } from '#domain'

import { untilAnswered } from './attempts.ts'
import type { KafkaCluster, TopicMetadata } from './cluster.ts'
import { LogError } from './kafka-errors.ts'
import { highWatermark } from './offsets.ts'
import {
  brokerFindings,
  type SettingFinding,
  type TopicDescription,
  topicFindings,
  type TopicKind,
} from './topic-settings.ts'

export interface TopicSpec {
  readonly name: string
  /** Never changes: a stream's order is its partition's. */
  readonly partitions: number
  readonly replication: number
  /** Kafka's topic settings, e.g. `{'cleanup.policy': 'delete'}`. */
  readonly configs: Readonly<Record<string, string>>
}

interface ConfigResource {
  readonly resourceType: (typeof ConfigResourceTypes)['TOPIC' | 'BROKER']
  readonly resourceName: string
}

const describe = (
  { name, topicId, partitions }: TopicMetadata,
  configs: TopicDescription['configs'],
): TopicDescription => ({
  name,
  topicId,
  partitions: partitions.length,
  replication: Math.min(...partitions.map(({ replicas }) => replicas.length)),
  configs,
})

/** Creates, describes and checks topics. All methods reject with LogError, `unavailable` when late. */
export class Topics {
  readonly #cluster: KafkaCluster
  readonly #timeoutMs: number

  constructor(cluster: KafkaCluster, timeoutMs = 30_000) {
    this.#cluster = cluster
    this.#timeoutMs = timeoutMs
  }

  /**
   * Creates the missing topics, and resolves when the leader of every partition answers. Existing topics are not changed; only
   * their partition count is checked. {@link checkSettings} reports on their other settings.
   * @returns all topics, in the order of the specs.
   * @throws LogError `refused` when a topic has another number of partitions, or creating it is not authorized.
   */
  async ensure(specs: readonly TopicSpec[]): Promise<TopicDescription[]> {
    const deadline = deadlineIn(this.#timeoutMs)
    const names = specs.map(({ name }) => name)
    const existing = new Set((await this.#cluster.existingTopics(names, deadline)).map(({ name }) => name))
    for (const spec of specs) {
      if (!existing.has(spec.name)) await this.#create(spec, deadline)
    }
    const described: TopicDescription[] = []
    for (const spec of specs) {
      await this.#awaitLeaders(spec, deadline)
      described.push(...(await this.describe([spec.name])))
    }
    return described
  }

  /**
   * Creates a topic unless it exists, and resolves when the leaders of a new one answer. Unlike {@link ensure} it needs no right to
   * describe settings, and accepts any number of partitions of an existing topic.
   */
  async createMissing(spec: TopicSpec): Promise<void> {
    const deadline = deadlineIn(this.#timeoutMs)
    if ((await this.#cluster.existingTopics([spec.name], deadline)).length > 0) return
    await this.#create(spec, deadline)
    await this.#awaitLeaders(spec, deadline)
  }

  /** Describes those of the topics that exist. */
  async describe(names: readonly string[]): Promise<TopicDescription[]> {
    const deadline = deadlineIn(this.#timeoutMs)
    const topics = await this.#cluster.existingTopics(names, deadline)
    return Promise.all(
      topics.map(async (topic) =>
        describe(
          topic,
          await this.#configs(
            { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic.name },
            deadline,
          ),
        ),
      ),
    )
  }

  /** The aggregate types that have a topic of events in this Kafka; sorted. */
  async aggregateTypes(): Promise<readonly string[]> {
    const names = await this.#cluster.topicNames(deadlineIn(this.#timeoutMs))
    return names.filter(isEventTopic).map(aggregateTypeOfTopic).toSorted()
  }

  /**
   * Deletes a topic and its records, and resolves when the brokers no longer list it. Does nothing if it does not exist.
   * @throws LogError `refused` when it is not authorized.
   */
  async delete(name: string): Promise<void> {
    const deadline = deadlineIn(this.#timeoutMs)
    const existing = await this.#cluster.existingTopics([name], deadline)
    if (existing.length === 0) return
    const what = `deleting topic ${name}`
    await this.#cluster.ask(what, deadline, deleteTopicsV6.api, [{ name }], this.#timeoutMs)
    await untilAnswered({ what, deadline, changes: true }, async () => {
      const left = await this.#cluster.existingTopics([name], deadline)
      if (left.length > 0) throw new Error('the topic still exists')
    })
  }

  /** The settings of the topic itself, without those inherited from the brokers. */
  async ownSettings(name: string): Promise<Record<string, string>> {
    const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: name }
    const configs = await this.#describeConfigs(resource, deadlineIn(this.#timeoutMs))
    const own = configs.filter(({ configSource }) => configSource === ConfigSources.DYNAMIC_TOPIC_CONFIG)
    return Object.fromEntries(own.map(({ name: setting, value }) => [setting, value ?? '']))
  }

  /** Bytes that topics take on the disks of all brokers, copies included. */
  async bytes(
    topics: readonly Pick<TopicDescription, 'name' | 'partitions'>[],
  ): Promise<Map<string, number>> {
    const deadline = deadlineIn(this.#timeoutMs)
    const asked = topics.map(({ name, partitions }) => ({
      name,
      partitions: Array.from({ length: partitions }, (_, partition) => partition),
    }))
    const what = 'asking for the sizes of topics'
    const answers = await Promise.all(
      this.#cluster.brokerIds.map((id) =>
        untilAnswered({ what, deadline, changes: false }, () =>
          this.#cluster.onBroker(id, (connection) => describeLogDirsV4.api.async(connection, asked)),
        ),
      ),
    )
    const sizes = new Map(topics.map(({ name }) => [name, 0]))
    for (const { name, partitions } of answers.flatMap(({ results }) => results.flatMap((it) => it.topics))) {
      const bytes = partitions.reduce((sum, { partitionSize }) => sum + Number(partitionSize), 0)
      sizes.set(name, (sizes.get(name) ?? 0) + bytes)
    }
    return sizes
  }

  /** The settings of these topics and of the brokers that endanger a promise; empty if none does. */
  async checkSettings(topics: readonly { name: string; kind: TopicKind }[]): Promise<SettingFinding[]> {
    const deadline = deadlineIn(this.#timeoutMs)
    const kinds = new Map(topics.map(({ name, kind }) => [name, kind]))
    const described = await this.describe([...kinds.keys()])
    const ofTopics = described.flatMap((topic) =>
      topicFindings(topic, kinds.get(topic.name) as TopicKind, this.#cluster.brokerIds.length),
    )
    const ofBrokers = await Promise.all(
      this.#cluster.brokerIds.map(async (id) =>
        brokerFindings(
          id,
          await this.#configs(
            { resourceType: ConfigResourceTypes.BROKER, resourceName: String(id) },
            deadline,
          ),
        ),
      ),
    )
    return [...ofTopics, ...ofBrokers.flat()]
  }

  async #create(spec: TopicSpec, deadline: number): Promise<void> {
    const request = {
      name: spec.name,
      numPartitions: spec.partitions,
      replicationFactor: spec.replication,
      assignments: [],
      configs: Object.entries(spec.configs).map(([name, value]) => ({ name, value })),
    }
    const timeoutMs = Math.max(1, Math.floor(deadline - performance.now()))
    await this.#cluster
      .ask(`creating topic ${spec.name}`, deadline, createTopicsV7.api, [request], timeoutMs, false)
      .catch((error: unknown) => {
        // Another process created the topic first. That is fine if it passes the check.
        if (!(error instanceof LogError) || error.kafkaCode !== 'TOPIC_ALREADY_EXISTS') throw error
      })
  }

  /** Kafka answers that a topic is created before its leaders know of it, so each leader is asked. */
  async #awaitLeaders(spec: TopicSpec, deadline: number): Promise<void> {
    const what = `looking up topic ${spec.name}`
    const { partitions } = await untilAnswered({ what, deadline, changes: false }, () =>
      this.#cluster.topic(spec.name),
    )
    if (partitions.length !== spec.partitions) {
      throw new LogError(
        'refused',
        `topic ${spec.name} has ${partitions.length} partitions, but ${spec.partitions} are configured; ` +
          'the count cannot be changed: configure the actual count, or move the topic (./annals topics repartition)',
      )
    }
    const indexes = Array.from({ length: spec.partitions }, (_, index) => index)
    await Promise.all(indexes.map((index) => highWatermark(this.#cluster, spec.name, index, deadline)))
  }

  async #configs(resource: ConfigResource, deadline: number): Promise<Record<string, string>> {
    const configs = await this.#describeConfigs(resource, deadline)
    return Object.fromEntries(configs.map(({ name, value }) => [name, value ?? '']))
  }

  async #describeConfigs(resource: ConfigResource, deadline: number) {
    const what = `asking for the settings of ${resource.resourceName}`
    const request = [{ ...resource, configurationKeys: null }]
    // A broker describes only itself; any broker describes topics.
    const isBroker = resource.resourceType === ConfigResourceTypes.BROKER
    const { results } = isBroker
      ? await untilAnswered({ what, deadline, changes: false }, () =>
          this.#cluster.onBroker(Number(resource.resourceName), (connection) =>
            describeConfigsV4.api.async(connection, request, false, false),
          ),
        )
      : await this.#cluster.ask(what, deadline, describeConfigsV4.api, request, false, false)
    return results[0]?.configs ?? []
  }
}
