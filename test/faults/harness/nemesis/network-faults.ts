import { type Link, type Trouble, troubles } from '../cluster/link.ts'
import { linksOf } from '../cluster/linked-service.ts'
import type { Pair } from '../cluster/links.ts'
import { type Fault, heldBetween, type Scene } from './fault.ts'

/** Links to the registry are rarely used: cutting them is enough. */
const pairs: readonly Pair[] = [
  'clients-writer',
  'peers-writer',
  'clients-projector',
  'writer-kafka',
  'writer-redis',
  'consumer-kafka',
  'consumer-redis',
  'consumer-postgres',
]

const words: Readonly<Record<Trouble, string>> = {
  cut: 'cut',
  delay: 'delayed',
  'half-open': 'half-open',
  'drop-replies': 'replies dropped',
}

/** Links of one service; to one broker or to all. */
function linksBetween({ system, random }: Scene, pair: Pair): readonly Link[] {
  const found = system.services.flatMap((service) =>
    linksOf(service).flatMap(([name, links]) => (name === pair ? [links] : [])),
  )
  const links = random.pick(found)
  return random.chance(0.5) ? links : [random.pick(links)]
}

/**
 * Links to one broker from all others, one way or both. Its own outgoing links stay intact, so each side sees
 * something else.
 */
function linksToBroker({ system, random }: Scene): readonly Link[] {
  const { kafka, brokerLinks } = system.servers
  const { id } = random.pick(kafka.brokers)
  const links = brokerLinks.filter(({ name }) => name.endsWith(`-${id}`))
  return random.chance(0.5) ? links : [random.pick(links)]
}

const networkFault = (
  pair: Pair | 'broker-broker',
  trouble: Trouble,
  forMs: readonly [number, number],
  struckIn: (scene: Scene) => readonly Link[],
): Fault => ({
  name: `${pair} ${words[trouble]}`,
  weight: 1,
  // Clients of a Redis Cluster connect directly to its nodes.
  isPossible: ({ views, redis }) =>
    pair === 'consumer-postgres' ? views === 'postgres' : !pair.endsWith('-redis') || redis === 'one',
  forMs,
  strike: async (scene) => {
    const links = struckIn(scene)
    await heldBetween(
      scene,
      () => links.forEach((link) => link.suffer(trouble)),
      () => links.forEach((link) => link.heal()),
    )
    return links.map(({ name }) => name).join(', ')
  },
})

const lastingMs = (trouble: Trouble): readonly [number, number] =>
  trouble === 'half-open' ? [2_000, 8_000] : [500, 4_000]

export const networkFaults: readonly Fault[] = [
  ...pairs.flatMap((pair) =>
    troubles.map((trouble) =>
      networkFault(pair, trouble, lastingMs(trouble), (scene) => linksBetween(scene, pair)),
    ),
  ),
  networkFault('service-registry', 'cut', lastingMs('cut'), (scene) =>
    linksBetween(scene, 'service-registry'),
  ),
]

/** Brokers notice each other's silence after two to three seconds. */
export const brokerNetworkFaults: readonly Fault[] = troubles.map((trouble) =>
  networkFault('broker-broker', trouble, [1_500, 8_000], linksToBroker),
)
