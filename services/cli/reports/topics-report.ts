import { styleText } from 'node:util'

import type { Finding } from '#kafka'
import type { InspectedTopic, TopicsInspection } from '#operations'

import type { CommandReport } from '../cli.ts'
import { grouped } from '../progress/progress-text.ts'
import { table } from '../table.ts'
import { ofCluster } from './cluster-report.ts'

/** The report of `topics list`. */
export const listReport = ({ cluster, topics, brokers }: TopicsInspection): CommandReport =>
  ofCluster(cluster, {
    document: { topics, brokers },
    text:
      topics.length === 0
        ? 'The domain has no topics: set ANNALS_DOMAIN to the value that the services use'
        : table(['topic', 'role', 'partitions', 'copies', 'bytes', 'settings'], topics.map(row)),
  })

function row({ name, role, found, findings }: InspectedTopic): (string | number)[] {
  if (found === undefined) return [name, role, '', '', '', 'missing']
  const settings = findings.length === 0 ? 'as recommended' : `${findings.length} findings: see topics check`
  return [name, role, found.partitions, found.replication, grouped(found.bytes), settings]
}

/** The report of `topics check`. */
export function checkReport({ cluster, topics, brokers }: TopicsInspection): CommandReport {
  const findings = [...topics.flatMap((topic) => topic.findings), ...brokers]
  const present = topics.filter(({ found }) => found !== undefined).length
  const ending =
    findings.length === 0
      ? present === 0
        ? 'Nothing was checked: no topic of the domain (ANNALS_DOMAIN) exists'
        : `${present} topics, no findings in settings and logs`
      : `${findings.length} findings in ${present} topics and the brokers`
  return ofCluster(cluster, {
    document: { findings, topics: present },
    text: [...findings.map(findingText), ending].join('\n'),
    exitCode: findings.length === 0 && present > 0 ? 0 : 1,
  })
}

const findingText = ({ subject, setting, actual, recommended, why }: Finding): string =>
  `${styleText('red', subject)}: ${setting} is ${actual}, expected ${recommended}: ${why}`
