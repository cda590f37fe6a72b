import type { Login } from './login.ts'

/** The addresses and the data folder of one Kafka node. */
export interface KafkaNode {
  /** From 1. */
  readonly id: number
  readonly port: number
  readonly controllerPort: number
  /** The port at which other nodes reach its controller; default: its own port. */
  readonly controllerReachedAt?: number
  /**
   * A separate listener for the other brokers, and the port at which they reach it; default: the listener for clients.
   */
  readonly peers?: { readonly port: number; readonly reachedAt: number }
  /** Its log directory. */
  readonly data: string
}

function listenersOf(
  { port, controllerPort, peers }: KafkaNode,
  isProtected: boolean,
): Readonly<Record<string, string>> {
  const protocol = isProtected ? 'SASL_PLAINTEXT' : 'PLAINTEXT'
  const at = (name: string, listenedPort: number) => `${name}://127.0.0.1:${listenedPort}`
  const inner = peers === undefined ? [] : [at('PEERS', peers.port)]
  const advertised = peers === undefined ? [] : [at('PEERS', peers.reachedAt)]
  return {
    listeners: [at(protocol, port), ...inner, at('CONTROLLER', controllerPort)].join(','),
    'advertised.listeners': [at(protocol, port), ...advertised].join(','),
    'listener.security.protocol.map': [protocol, 'PEERS', 'CONTROLLER']
      .map((name) => `${name}:${protocol}`)
      .join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': peers === undefined ? protocol : 'PEERS',
  }
}

/**
 * Every listener asks for the login, also those between nodes, because programs of other users reach them too. PLAIN
 * keeps the password in this file alone, so that a new one needs no change of data; no listener leaves this machine.
 */
function loginOf({ user, password }: Login): Readonly<Record<string, string>> {
  const login = `username="${user}" password="${password}" user_${user}="${password}"`
  const module = `org.apache.kafka.common.security.plain.PlainLoginModule required ${login};`
  return {
    'sasl.mechanism.inter.broker.protocol': 'PLAIN',
    'sasl.mechanism.controller.protocol': 'PLAIN',
    ...Object.fromEntries(
      ['SASL_PLAINTEXT', 'PEERS', 'CONTROLLER'].flatMap((name) => {
        const listener = `listener.name.${name.toLowerCase()}`
        return [
          [`${listener}.sasl.enabled.mechanisms`, 'PLAIN'],
          [`${listener}.plain.sasl.jaas.config`, module],
        ]
      }),
    ),
  }
}

/** What one cluster needs beyond its nodes. */
interface KafkaOfOwn {
  /** The login that every listener asks for; default: none. */
  readonly login?: Login | undefined
  /** Properties in addition to the default ones. */
  readonly more?: Readonly<Record<string, string>>
}

/** The properties of one node, broker and controller in one (KRaft). All nodes of a cluster are voters. */
export function kafkaProperties(
  node: KafkaNode,
  nodes: readonly KafkaNode[],
  { login, more = {} }: KafkaOfOwn = {},
): string {
  const several = nodes.length > 1
  const replicas = Math.min(3, nodes.length)
  const minInSync = several ? 2 : 1
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'controller.quorum.voters': nodes
      .map(({ id, controllerPort, controllerReachedAt }) => {
        return `${id}@127.0.0.1:${controllerReachedAt ?? controllerPort}`
      })
      .join(','),
    ...listenersOf(node, login !== undefined),
    ...(login && loginOf(login)),
    'log.dirs': node.data,

    // An automatically created topic would have the wrong settings.
    'auto.create.topics.enable': false,
    'default.replication.factor': replicas,
    'min.insync.replicas': minInSync,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': minInSync,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': minInSync,

    // Small and quick to start; the defaults are sized for a data centre.
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.num.partitions': 4,
    'group.initial.rebalance.delay.ms': 100,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
    // A killed broker is detected in 3 s instead of 9 s.
    ...(several && { 'broker.session.timeout.ms': 3000, 'broker.heartbeat.interval.ms': 500 }),
    ...more,
  }
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${String(value)}\n`)
    .join('')
}
