import { logFaults } from './log-faults.ts'
import { brokerNetworkFaults, networkFaults } from './network-faults.ts'
import { postgresFaults } from './postgres-faults.ts'
import { processFaults } from './process-faults.ts'
import { redisFaults } from './redis-faults.ts'
import type { Lane } from './schedule.ts'
import { serverFaults } from './server-faults.ts'
import { topicFaults } from './topic-faults.ts'

/**
 * One or two faults at a time, and never two that only stop everything together, as two brokers down would: what the services
 * stand on, and the brokers' ways to each other, fail in one lane; in the other the services themselves, or the ways between them.
 */
export const lanes: readonly Lane[] = [
  {
    name: 'servers',
    faults: [...serverFaults, ...redisFaults, ...postgresFaults, ...brokerNetworkFaults, ...topicFaults],
    pauseMs: [1_000, 5_000],
    perSeed: 7,
  },
  {
    name: 'services and network',
    faults: [...processFaults, ...networkFaults, ...logFaults],
    pauseMs: [300, 2_500],
    perSeed: 14,
  },
]
