import { Gauge, type Registry } from 'prom-client'

import type { OwnedPartition } from './owned-partition.ts'
import type { PartitionGroup } from './partition-group.ts'

/**
 * Registers the gauges of a service that owns partitions, read at each scrape: `annals_<service>_owned_partitions`,
 * `_serving_partitions` and `_waits_for_operator`.
 */
export function addOwnershipGauges(
  registry: Registry,
  service: string,
  group: Pick<PartitionGroup<OwnedPartition>, 'owners' | 'waiting'>,
): void {
  const gauge = (name: string, help: string, valueNow: () => number) =>
    new Gauge({
      name: `annals_${service}_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(valueNow())
      },
    })
  gauge('owned_partitions', `Partitions that this ${service} owns`, () => group.owners.length)
  gauge(
    'serving_partitions',
    'Owned partitions that are served now',
    () => group.owners.filter(({ isServing }) => isServing).length,
  )
  new Gauge({
    name: `annals_${service}_waits_for_operator`,
    help: '1 for each partition that is not served until an operator acts, by its state',
    labelNames: ['topic', 'partition', 'state'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { topic, partition, state } of group.waiting) {
        this.set({ topic, partition: partition ?? '', state }, 1)
      }
    },
  })
}
