import { type Config, isLoopback } from '#config'

import { type DoctorFinding, fail, ok, warn } from '../finding.ts'
import { endpointsOf } from './endpoints.ts'

/** Whether these settings control access, and encrypt what leaves the machine. */
export const checkAccess = (config: Config): DoctorFinding[] => [
  access(config),
  http(config),
  ...endpointsOf(config)
    .filter(({ isEncrypted, isLocal }) => !isEncrypted && !isLocal)
    .map(({ name }) =>
      warn(
        `${name} TLS`,
        'passwords and events reach it unencrypted, over a network',
        `Turn on TLS: ${tlsSettings[name]}`,
      ),
    ),
  ...unverified(config),
]

const tlsSettings = {
  Kafka: 'ANNALS_KAFKA_SSL=true, ANNALS_KAFKA_SSL_CA_FILE',
  Redis: 'ANNALS_REDIS_URL=rediss://…, ANNALS_REDIS_CA_FILE',
  'schema registry': 'ANNALS_REGISTRY_URL=https://…, ANNALS_REGISTRY_CA_FILE',
  PostgreSQL: '?sslmode=verify-full&sslrootcert=… in ANNALS_PROJECTOR_POSTGRES_URL',
} as const

function access({ access: { mode = 'open' }, http: { host } }: Config): DoctorFinding {
  if (mode !== 'open') return ok('access', `only known principals get in (ANNALS_ACCESS=${mode})`)
  if (isLoopback(host)) return ok('access', `open, to programs of this machine only (ANNALS_HOST is ${host})`)
  return fail(
    'access',
    `open: everyone who reaches ${host} may read, append and operate`,
    'Set ANNALS_ACCESS=topic or file; docs/guide/access.md explains how to start',
  )
}

function http({ tls, http: { advertisedUrl } }: Config): DoctorFinding {
  const url = new URL(advertisedUrl)
  const isHttps = url.protocol === 'https:'
  if (tls.certFile !== undefined && !isHttps)
    return fail(
      'TLS',
      `services listen with HTTPS, and ${advertisedUrl} leads others to HTTP`,
      'Set ANNALS_ADVERTISED_URL to a URL that begins with https://',
    )
  if (isHttps) return ok('TLS', `services are reached at ${advertisedUrl}`)
  if (isLoopback(url.hostname)) return ok('TLS', 'off; nothing leaves this machine')
  return warn(
    'TLS',
    `tokens and events reach ${advertisedUrl} unencrypted`,
    'Set ANNALS_TLS_CERT_FILE and ANNALS_TLS_KEY_FILE, or put a proxy with TLS in front and its https:// URL into ANNALS_ADVERTISED_URL',
  )
}

function unverified({ projector: { store, postgresUrl = '' } }: Config): DoctorFinding[] {
  if (store !== 'postgres' || !/[?&](sslmode=no-verify|uselibpqcompat=true)/.test(postgresUrl)) return []
  const message = 'its certificate is not verified: whoever answers at its address gets the password'
  return [warn('PostgreSQL TLS', message, 'Use sslmode=verify-full in ANNALS_PROJECTOR_POSTGRES_URL instead')]
}
