import { styleText } from 'node:util'

import type { SettingFinding } from '#kafka'
import type { InspectedTopic, TopicsInspection } from '#operations'

import type { Report } from '../cli.ts'
import { grouped } from '../progress/progress-text.ts'
import { table } from '../table.ts'
import { ofCluster } from './cluster-report.ts'

/** All topics of the domain. */
export const listReport = ({ cluster, topics, brokers }: TopicsInspection): Report =>
  ofCluster(cluster, {
    document: { topics, brokers },
    text:
      topics.length === 0
        ? 'The domain has no topics: set ANNALS_DOMAIN as for the services'
        : table(['topic', 'role', 'partitions', 'copies', 'bytes', 'settings'], topics.map(row)),
  })

function row({ name, role, found, findings }: InspectedTopic): (string | number)[] {
  if (found === undefined) return [name, role, '', '', '', 'not there yet']
  const settings = findings.length === 0 ? 'as recommended' : `${findings.length} findings: topics check`
  return [name, role, found.partitions, found.replication, grouped(found.bytes), settings]
}

/** What is not as recommended. */
export function checkReport({ cluster, topics, brokers }: TopicsInspection): Report {
  const findings = [...topics.flatMap((topic) => topic.findings), ...brokers]
  const present = topics.filter(({ found }) => found !== undefined).length
  const ending =
    findings.length === 0
      ? present === 0
        ? 'Nothing was checked: none of the topics of the domain (ANNALS_DOMAIN) is there'
        : `${present} topics, all settings and logs as they should be`
      : `${findings.length} findings in ${present} topics and the brokers`
  return ofCluster(cluster, {
    document: { findings, topics: present },
    text: [...findings.map(drawn), ending].join('\n'),
    exitCode: findings.length === 0 && present > 0 ? 0 : 1,
  })
}

const drawn = ({ subject, setting, actual, recommended, why }: SettingFinding): string =>
  `${styleText('red', subject)}: ${setting} is ${actual}, expected ${recommended}: ${why}`
