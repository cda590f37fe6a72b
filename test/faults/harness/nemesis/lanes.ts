import { logFaults } from './log-faults.ts'
import { brokerNetworkFaults, networkFaults } from './network-faults.ts'
import { postgresFaults } from './postgres-faults.ts'
import { processFaults } from './process-faults.ts'
import { redisFaults } from './redis-faults.ts'
import type { Lane } from './schedule.ts'
import { serverFaults } from './server-faults.ts'
import { topicFaults } from './topic-faults.ts'

/**
 * At most two faults at a time, and never two that merely stop everything, such as two brokers down. In one lane the
 * servers and the links between brokers fail, in the other the services and the links between them.
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
