import type { Config } from '#config'
import { kafkaAsksForLogin } from '#kafka'
import { redisAsksForLogin } from '#redis-index'
import { kafkaSettings, postgresAsksForLogin, redisSettings } from '#service'

import { type DoctorFinding, fail, ok, warn } from '../finding.ts'
import { type Endpoint, endpointsOf } from './endpoints.ts'

/** Whether a server rejects those who do not log in, or why that is not known. */
type LoginAnswer = { readonly asks: boolean } | { readonly unknown: string }

/** Tries to get into each server without a login and without a certificate. */
export async function checkLogins(config: Config): Promise<readonly DoctorFinding[]> {
  const found = endpointsOf(config).flatMap((endpoint) => {
    const attempt = attempts[endpoint.name]
    return attempt === undefined ? [] : [judged(endpoint, attempt(config))]
  })
  return Promise.all(found)
}

const attempts: Readonly<Partial<Record<Endpoint['name'], (config: Config) => Promise<boolean>>>> = {
  Kafka: async (config) => kafkaAsksForLogin(kafkaSettings(config)),
  Redis: async (config) => redisAsksForLogin(redisSettings(config)),
  PostgreSQL: ({ projector }) => postgresAsksForLogin(projector.postgresUrl ?? ''),
}

async function judged(endpoint: Endpoint, asking: Promise<boolean>): Promise<DoctorFinding> {
  const answer = await asking.then(
    (asks) => ({ asks }),
    (error: unknown) => ({ unknown: error instanceof Error ? error.message : String(error) }),
  )
  return judgeLogin(endpoint, answer)
}

const remedies: Readonly<Record<string, string>> = {
  Kafka:
    'Give it a listener with SASL or client certificates and set ANNALS_KAFKA_SASL_MECHANISM or ANNALS_KAFKA_SSL_CERT_FILE; then close the open one',
  Redis: 'Set requirepass or users (ACL), and give ANNALS_REDIS_URL the login',
  PostgreSQL:
    'Use scram-sha-256 or cert instead of trust in pg_hba.conf, and give ANNALS_PROJECTOR_POSTGRES_URL the login',
}

/** A server that cannot be reached is not said to be open: another check reports it. */
export function judgeLogin({ name, isLocal }: Pick<Endpoint, 'name' | 'isLocal'>, answer: LoginAnswer) {
  const subject = `${name} login`
  const remedy = remedies[name] ?? ''
  if ('unknown' in answer)
    return warn(subject, `not checked: ${answer.unknown}`, `Run doctor again once ${name} answers`)
  if (answer.asks) return ok(subject, 'those who do not log in are rejected')
  if (isLocal) return warn(subject, 'every program of this machine gets in without a login', remedy)
  const message = 'everyone who reaches it gets in without a login'
  return name === 'Kafka' ? warn(subject, message, remedy) : fail(subject, message, remedy)
}
