import { type Link, type Trouble, troubles } from '../cluster/link.ts'
import { linksOf } from '../cluster/linked-service.ts'
import type { Pair } from '../cluster/links.ts'
import { type Fault, heldBetween, type Scene } from './fault.ts'

/** Those to the registry are rarely used: cutting them is enough. */
const pairs: readonly Pair[] = [
  'clients-writer',
  'peers-writer',
  'clients-projector',
  'writer-kafka',
  'writer-redis',
  'consumer-kafka',
  'consumer-redis',
]

const words: Readonly<Record<Trouble, string>> = {
  cut: 'cut',
  delay: 'delayed',
  'half-open': 'half-open',
  'drop-replies': 'replies dropped',
}

/** Of one service; to one broker or to all of them. */
function linksBetween({ system, random }: Scene, pair: Pair): readonly Link[] {
  const found = system.services.flatMap((service) =>
    linksOf(service).flatMap(([name, links]) => (name === pair ? [links] : [])),
  )
  const links = random.pick(found)
  return random.chance(0.5) ? links : [random.pick(links)]
}

const networkFault = (pair: Pair, trouble: Trouble): Fault => ({
  name: `${pair} ${words[trouble]}`,
  weight: 1,
  forMs: trouble === 'half-open' ? [2_000, 8_000] : [500, 4_000],
  strike: async (scene) => {
    const links = linksBetween(scene, pair)
    await heldBetween(
      scene,
      () => links.forEach((link) => link.suffer(trouble)),
      () => links.forEach((link) => link.heal()),
    )
    return links.map(({ name }) => name).join(', ')
  },
})

export const networkFaults: readonly Fault[] = [
  ...pairs.flatMap((pair) => troubles.map((trouble) => networkFault(pair, trouble))),
  networkFault('service-registry', 'cut'),
]
