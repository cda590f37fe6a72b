import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { connect } from 'node:tls'

import type { Config } from '#config'

import { type DoctorFinding, fail, ok, warn } from '../finding.ts'
import { endpointsOf } from './endpoints.ts'

const dayMs = 86_400_000
const soonDays = 30
const probeMs = 5_000
const block = /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g

/** When the certificates in the configured files expire, and those that the servers present. */
export async function checkCertificates(config: Config, now = Date.now()): Promise<readonly DoctorFinding[]> {
  const presented = await Promise.all(
    serversOf(config).map(async ({ subject, host, port }) => {
      const certificate = await presentedAt(host, port)
      return certificate === undefined ? [] : [judgeValidity(subject, [certificate], now)]
    }),
  )
  return [...filesOf(config).map(([setting, path]) => ofFile(setting, path, now)), ...presented.flat()]
}

function filesOf({ tls, kafka, redis, registry }: Config): [string, string][] {
  const files = {
    ANNALS_TLS_CERT_FILE: tls.certFile,
    ANNALS_TLS_CLIENT_CA_FILE: tls.clientCaFile,
    ANNALS_PEER_CA_FILE: tls.peerCaFile,
    ANNALS_KAFKA_SSL_CA_FILE: kafka.ssl.caFile,
    ANNALS_KAFKA_SSL_CERT_FILE: kafka.ssl.certFile,
    ANNALS_REDIS_CA_FILE: redis.tls.caFile,
    ANNALS_REDIS_CERT_FILE: redis.tls.certFile,
    ANNALS_REGISTRY_CA_FILE: registry.caFile,
  }
  return Object.entries(files).flatMap(([setting, path]) => (path === undefined ? [] : [[setting, path]]))
}

function ofFile(setting: string, path: string, now: number): DoctorFinding {
  const subject = `${setting} ${path}`
  try {
    const certificates = readFileSync(path, 'utf8').match(block) ?? []
    if (certificates.length > 0)
      return judgeValidity(
        subject,
        certificates.map((text) => new X509Certificate(text)),
        now,
      )
    return fail(subject, 'it has no certificate in PEM', `Correct ${setting}`)
  } catch (error) {
    return fail(subject, error instanceof Error ? error.message : String(error), `Correct ${setting}`)
  }
}

interface Validity {
  readonly validFrom: string
  readonly validTo: string
}

/** Judges by the certificate that expires first. */
export function judgeValidity(
  subject: string,
  certificates: readonly Validity[],
  now: number,
): DoctorFinding {
  const from = Math.max(...certificates.map(({ validFrom }) => Date.parse(validFrom)))
  const to = Math.min(...certificates.map(({ validTo }) => Date.parse(validTo)))
  const remedy = 'Replace it by one that is valid longer; services read their own again without a restart'
  if (from > now) return fail(subject, `it is not valid before ${dateOf(from)}`, 'Check the clocks')
  if (to <= now) return fail(subject, `it expired on ${dateOf(to)}`, remedy)
  const days = Math.floor((to - now) / dayMs)
  if (days < soonDays) return warn(subject, `it expires in ${days} days, on ${dateOf(to)}`, remedy)
  return ok(subject, `it is valid until ${dateOf(to)}`)
}

const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10)

interface TlsServer {
  readonly subject: string
  readonly host: string
  readonly port: number
}

/** PostgreSQL begins TLS in its own way and is left out. */
function serversOf(config: Config): TlsServer[] {
  const backends = endpointsOf(config)
    .filter(({ name, isEncrypted }) => isEncrypted && name !== 'PostgreSQL')
    .flatMap(({ name, nodes }) =>
      nodes.map(({ host, port }) => ({ subject: `certificate of ${name} at ${host}:${port}`, host, port })),
    )
  const url = new URL(config.http.advertisedUrl)
  if (url.protocol !== 'https:') return backends
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const own = { subject: `certificate of ${url.origin}`, host, port: Number(url.port || 443) }
  return [...backends, own]
}

/** Undefined where nothing answers: other checks report that. It trusts every certificate, and sends nothing. */
function presentedAt(host: string, port: number): Promise<X509Certificate | undefined> {
  const servername = isIP(host) === 0 ? { servername: host } : {}
  const socket = connect({ host, port, ...servername, rejectUnauthorized: false, timeout: probeMs })
  const { promise, resolve } = Promise.withResolvers<X509Certificate | undefined>()
  socket.once('secureConnect', () => resolve(socket.getPeerX509Certificate()))
  for (const end of ['error', 'timeout', 'close'] as const) socket.once(end, () => resolve(undefined))
  return promise.finally(() => socket.destroy())
}
