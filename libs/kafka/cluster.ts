import {
  type API,
  type Connection,
  findCoordinatorV4,
  metadataV12,
  ProtocolError,
  ResponseError,
} from '@platformatic/kafka'

import { abortable, deadlineIn } from '#async'

import { untilAnswered } from './attempts.ts'
import { BrokerConnections } from './broker-connections.ts'
import { HeldTopics, replaced } from './held-topics.ts'
import { classify, LogError, NotSentError, withAdvice } from './kafka-errors.ts'
import { type BrokerAddress, type KafkaSettings, parseBroker } from './settings.ts'

interface PartitionMetadata {
  /** Broker id; -1 while there is none. */
  readonly leader: number
  readonly replicas: readonly number[]
}

export interface TopicMetadata {
  readonly name: string
  readonly topicId: string
  /** By partition number. */
  readonly partitions: readonly PartitionMetadata[]
}

/** A connection to a partition's leader, and the id of the partition's topic. */
interface Leader {
  readonly connection: Connection
  readonly topicId: string
}

interface ConnectOptions {
  /** How long to retry; default 10,000. */
  readonly timeoutMs?: number
  /** Ends the attempts. */
  readonly signal?: AbortSignal
}

type CoordinatorKind = 'group' | 'transaction'
const coordinatorKeyTypes: Record<CoordinatorKind, number> = { group: 0, transaction: 1 }

type MetadataResponse = Awaited<ReturnType<typeof metadataV12.api.async>>
type TopicResponse = MetadataResponse['topics'][number]

const controlLane = 'control'
/** Kafka's error code. */
const topicAuthorizationFailed = 29

/** The client throws the whole answer when a single partition has no leader. The rest of the answer is still valid. */
function toleratePartial(error: unknown): MetadataResponse {
  if (error instanceof ResponseError) return error['response'] as MetadataResponse
  throw error
}

function topicMetadata(topic: TopicResponse): TopicMetadata {
  const byIndex = [...topic.partitions].sort((a, b) => a.partitionIndex - b.partitionIndex)
  return {
    name: topic.name ?? '',
    topicId: topic.topicId,
    partitions: byIndex.map(({ leaderId, replicaNodes }) => ({ leader: leaderId, replicas: replicaNodes })),
  }
}

const noSuchPartition = (topic: string, partition: number, partitions: number): LogError =>
  new LogError(
    'refused',
    `topic ${topic} has ${partitions} partitions, so there is no partition ${partition}`,
  )

/**
 * Metadata of a Kafka cluster and connections to it. All logs, readers and topics of a process share one.
 * Leaders and coordinators are cached until a broker answers that they have changed.
 */
export class KafkaCluster {
  readonly settings: KafkaSettings
  readonly #connections: BrokerConnections
  readonly #brokers = new Map<number, BrokerAddress>()
  readonly #topics = new Map<string, Promise<TopicMetadata>>()
  readonly #coordinators = new Map<string, Promise<BrokerAddress>>()
  readonly #held = new HeldTopics((names) => this.#topicIds(names))
  #clusterId = ''

  private constructor(settings: KafkaSettings) {
    this.settings = settings
    this.#connections = new BrokerConnections(settings)
  }

  /**
   * Connects to the first broker that answers.
   * @throws Error when an address is malformed; LogError `unavailable` when no broker answers, `refused` when the credentials are wrong;
   *   the reason of the signal when it aborts.
   */
  static async connect(
    settings: KafkaSettings,
    { timeoutMs = 10_000, signal = new AbortController().signal }: ConnectOptions = {},
  ): Promise<KafkaCluster> {
    settings.brokers.forEach(parseBroker)
    const cluster = new KafkaCluster(settings)
    try {
      const what = `connecting to Kafka at ${settings.brokers.join(', ')}`
      const asking = () => cluster.ask(what, deadlineIn(timeoutMs), metadataV12.api, [], false, false)
      cluster.#learnBrokers(await abortable(signal, asking))
    } catch (error) {
      // Also ends the attempts. An aborted caller does not wait for a connection that is being opened.
      const closing = cluster.close()
      if (!signal.aborted) await closing
      throw withAdvice(error, settings.advise)
    }
    return cluster
  }

  close(): Promise<void> {
    this.#held.close()
    return this.#connections.close()
  }

  /**
   * Binds this process to these topics by their ids. Requests to a topic that was deleted and created again are then
   * refused with LogError `log-replaced`. The ids are checked every few seconds until {@link close}.
   */
  holdTo(topics: readonly Pick<TopicMetadata, 'name' | 'topicId'>[]): void {
    this.#held.hold(topics)
  }

  /** Topics passed to {@link holdTo} that have since been deleted and created again. */
  get replacedTopics(): readonly string[] {
    return this.#held.replaced
  }

  /** @throws LogError `log-replaced` when the topic was passed to {@link holdTo} and is known to have been replaced. */
  checkHeld(topic: string): void {
    this.#held.check(topic)
  }

  /** Asks Kafka whether a topic still has this id. If not, drops the cached metadata. @throws LogError `log-replaced`; `unavailable` when late. */
  async checkTopicId(topic: string, topicId: string, deadline: number): Promise<void> {
    const what = `asking for the id of ${topic}`
    const ids = await untilAnswered({ what, deadline, changes: false }, () => this.#topicIds([topic]))
    const found = ids.get(topic)
    if (found === undefined || found === topicId) return
    this.#topics.delete(topic)
    this.#held.note(topic, found)
    throw replaced(topic)
  }

  /** Kafka's cluster id; empty if the brokers do not report one. */
  get clusterId(): string {
    return this.#clusterId
  }

  /** Ids of the brokers in the latest metadata. */
  get brokerIds(): readonly number[] {
    return [...this.#brokers.keys()]
  }

  /** Sends a request to any broker, known ones first, then configured ones. Retries until the deadline. */
  ask<Arguments extends unknown[], Answer>(
    what: string,
    deadline: number,
    api: API<Arguments, Answer>,
    ...request: Arguments
  ): Promise<Answer> {
    let attempt = 0
    return untilAnswered({ what, deadline, changes: false }, async () => {
      const candidates = [...this.#brokers.values(), ...this.settings.brokers.map(parseBroker)]
      const broker = candidates[attempt++ % candidates.length] as BrokerAddress
      return api.async(await this.#connections.get(broker, controlLane), ...request)
    })
  }

  /**
   * Metadata of a topic, from the cache if present.
   * @throws an error that classifies as `refresh` when the topic does not exist, or not yet.
   */
  topic(name: string): Promise<TopicMetadata> {
    const known = this.#topics.get(name)
    if (known !== undefined) return known
    const asked = this.#askTopic(name)
    this.#topics.set(name, asked)
    asked.catch(() => this.#topics.delete(name))
    return asked
  }

  /** Fresh metadata of those topics that exist. Drops their cached metadata. @throws LogError `refused` when access to one is denied */
  async existingTopics(names: readonly string[], deadline: number): Promise<readonly TopicMetadata[]> {
    for (const name of names) this.#topics.delete(name)
    const what = `asking for topics ${names.join(', ')}`
    const answer = await untilAnswered({ what, deadline, changes: false }, async () => {
      const { topics } = await this.#askTopics(names)
      // A topic without access must not be taken for a topic that does not exist.
      const denied = topics.find(({ errorCode }) => errorCode === topicAuthorizationFailed)
      if (denied !== undefined) throw new ProtocolError(denied.errorCode)
      return { topics }
    })
    return answer.topics.filter(({ errorCode }) => errorCode === 0).map(topicMetadata)
  }

  /** Names of all topics that this user may describe. @throws LogError */
  async topicNames(deadline: number): Promise<readonly string[]> {
    const { topics } = await untilAnswered(
      { what: 'asking for all topics', deadline, changes: false },
      async () => this.#askTopics(null),
    )
    return topics.flatMap(({ name, errorCode }) => (errorCode === 0 && name ? [name] : []))
  }

  /** Sends a request to a partition's leader, once. If the leader has moved, drops the cached metadata and rethrows. */
  async onLeader<T>(
    topic: string,
    partition: number,
    lane: string,
    request: (leader: Leader) => Promise<T>,
  ): Promise<T> {
    try {
      return await request(await this.#locate(topic, partition, lane))
    } catch (error) {
      if (classify(error).meaning === 'refresh') this.#topics.delete(topic)
      throw error
    }
  }

  /** Sends a request to the coordinator of a group or transactional id, once. */
  async onCoordinator<T>(
    kind: CoordinatorKind,
    key: string,
    request: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    const name = `${kind}/${key}`
    try {
      const broker = await this.#coordinator(kind, key)
      return await request(await this.#connections.get(broker, controlLane))
    } catch (error) {
      if (classify(error).meaning === 'refresh') this.#coordinators.delete(name)
      throw error
    }
  }

  /** Sends a request to the broker with this id, once. */
  async onBroker<T>(id: number, request: (connection: Connection) => Promise<T>): Promise<T> {
    const broker = this.#brokers.get(id)
    if (broker === undefined) throw new Error(`Kafka broker ${id} is not known`)
    return request(await this.#connections.get(broker, controlLane))
  }

  /** Closes the connections of a lane that is no longer used. */
  closeLane(lane: string): Promise<void> {
    return this.#connections.closeLane(lane)
  }

  async #locate(topic: string, partition: number, lane: string): Promise<Leader> {
    const { topicId, partitions } = await this.topic(topic).catch((cause: unknown) => {
      if (cause instanceof LogError) throw cause
      throw new NotSentError(`topic ${topic} cannot be found`, { cause })
    })
    this.#held.check(topic)
    const found = partitions[partition]
    if (found === undefined) throw noSuchPartition(topic, partition, partitions.length)
    const broker = this.#brokers.get(found.leader)
    if (broker === undefined) throw new NotSentError(`partition ${partition} of topic ${topic} has no leader`)
    return { connection: await this.#connections.get(broker, lane), topicId }
  }

  #coordinator(kind: CoordinatorKind, key: string): Promise<BrokerAddress> {
    const name = `${kind}/${key}`
    const known = this.#coordinators.get(name)
    if (known !== undefined) return known
    const asked = this.#askCoordinator(kind, key)
    this.#coordinators.set(name, asked)
    asked.catch(() => this.#coordinators.delete(name))
    return asked
  }

  async #askCoordinator(kind: CoordinatorKind, key: string): Promise<BrokerAddress> {
    const connection = await this.#anyConnection()
    const { coordinators } = await findCoordinatorV4.api.async(connection, coordinatorKeyTypes[kind], [key])
    const found = coordinators[0]
    if (found === undefined) throw new Error(`Kafka names no coordinator for ${kind} ${key}`)
    return { host: found.host, port: found.port }
  }

  async #askTopic(name: string): Promise<TopicMetadata> {
    const topic = (await this.#askTopics([name])).topics[0]
    if (topic?.errorCode !== 0) throw new ProtocolError(topic?.errorCode ?? 'UNKNOWN_TOPIC_OR_PARTITION')
    this.#held.note(name, topic.topicId)
    this.#held.check(name)
    return topicMetadata(topic)
  }

  /** Fresh ids of those topics that exist. Leaves the cached metadata unchanged. */
  async #topicIds(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { topics } = await this.#askTopics(names)
    return new Map(
      topics.flatMap(({ name, topicId, errorCode }) => (errorCode === 0 && name ? [[name, topicId]] : [])),
    )
  }

  async #askTopics(names: readonly string[] | null): Promise<MetadataResponse> {
    const connection = await this.#anyConnection()
    const answer = await metadataV12.api
      .async(connection, names && [...names], false, false)
      .catch(toleratePartial)
    this.#learnBrokers(answer)
    return answer
  }

  /** A connection to any broker. Tries each broker once, starting at a random one, so that no single broker has to be up. */
  async #anyConnection(): Promise<Connection> {
    const known = [...this.#brokers.values()]
    const start = Math.floor(Math.random() * Math.max(1, known.length))
    const candidates = [
      ...known.slice(start),
      ...known.slice(0, start),
      ...this.settings.brokers.map(parseBroker),
    ]
    let last: unknown
    for (const broker of candidates) {
      try {
        return await this.#connections.get(broker, controlLane)
      } catch (error) {
        last = error
      }
    }
    throw last
  }

  #learnBrokers(answer: MetadataResponse): void {
    if (answer.brokers.length === 0) return
    this.#clusterId = answer.clusterId ?? this.#clusterId
    this.#brokers.clear()
    for (const { nodeId, host, port } of answer.brokers) this.#brokers.set(nodeId, { host, port })
  }
}
