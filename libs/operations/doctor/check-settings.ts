import { type DomainModule, eventTopic } from '#domain'
import { type Finding as TopicFinding, type KafkaCluster, Topics } from '#kafka'

import { fail, type DoctorFinding, ok, warn } from './finding.ts'

const brokersWanted = 3

/** Checks the settings of the event topics and of the brokers. */
export async function checkSettings(
  cluster: KafkaCluster,
  domain: DomainModule,
): Promise<readonly DoctorFinding[]> {
  const topics = new Topics(cluster)
  const names = domain.aggregates.map(({ type }) => eventTopic(type))
  const present = new Set((await topics.describe(names)).map(({ name }) => name))
  const unsafe = await topics.checkSettings([...present].map((name) => ({ name, kind: 'events' as const })))
  const sound = [...present].filter((name) => !unsafe.some(({ subject }) => subject === `topic ${name}`))
  const absent = names.filter((name) => !present.has(name))
  return [
    ...sound.map((name) => ok(`topic ${name}`, 'its settings keep every event')),
    ...unsafe.map(unsafeSetting),
    ...absent.map((name) =>
      warn(`topic ${name}`, 'it does not exist yet', 'Start a writer: it creates the topic'),
    ),
    brokerCount(cluster.brokerIds.length),
  ]
}

const unsafeSetting = ({ subject, setting, actual, recommended, why }: TopicFinding): DoctorFinding =>
  fail(subject, `${setting} is ${actual}: ${why}`, `Set ${setting} of ${subject} to ${recommended}`)

function brokerCount(count: number): DoctorFinding {
  if (count >= brokersWanted) return ok('brokers', `there are ${count}`)
  const one = 'there is only one: acknowledged events are lost with its disk'
  const two = 'there are only two: without a third, appends stop when one fails'
  return warn(
    'brokers',
    count === 1 ? one : two,
    `In production run ${brokersWanted} or more, with ANNALS_KAFKA_REPLICATION=3 and ANNALS_KAFKA_MIN_INSYNC=2`,
  )
}
