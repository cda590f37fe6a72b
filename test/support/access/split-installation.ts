import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Agent } from 'undici'

import type { TokenIssuer } from '#authentication/testing'

import { type Installation, installation } from '../services/real-writer.ts'
import { type ServiceName, type ServiceProcess, startServiceProcess } from '../services/service-process.ts'
import { uniqueName } from '../stack/stack.ts'
import { CertificateAuthority, type Certified, writeCertified } from '../tls/certificates.ts'

/** Settings of an installation with TLS and access control, and what a test needs to use them. */
export interface ProtectedInstallation extends Installation {
  readonly folder: string
  readonly authority: CertificateAuthority
  remove(): Promise<void>
}

/** An installation with two aggregate types and four partitions. Its keys and roles are in a topic of its own. */
export async function protectedInstallation(issuer: TokenIssuer): Promise<ProtectedInstallation> {
  const folder = await mkdtemp(join(tmpdir(), 'annals-split-'))
  const authority = await CertificateAuthority.create('split installation')
  const protection = await protectedBy(folder, authority, issuer)
  const where = installation({ ANNALS_KAFKA_PARTITIONS: '4', ...protection }, 2)
  const remove = async () => {
    await rm(folder, { recursive: true })
    where.domain.remove()
  }
  return { ...where, folder, authority, remove }
}

async function protectedBy(
  folder: string,
  authority: CertificateAuthority,
  issuer: TokenIssuer,
): Promise<Record<string, string>> {
  const { certFile, keyFile } = await writeCertified(folder, 'server', await authority.server())
  const caFile = join(folder, 'ca.crt')
  await writeFile(caFile, authority.cert)
  return {
    ANNALS_ACCESS: 'topic',
    ANNALS_ACCESS_TOPIC: uniqueName('annals.access'),
    ANNALS_AUDIT_TOPIC: uniqueName('annals.audit'),
    ANNALS_PEER_SECRET: randomBytes(32).toString('hex'),
    ANNALS_JWT_JWKS_URL: issuer.jwksUrl,
    ANNALS_JWT_ISSUER: issuer.issuer,
    ANNALS_JWT_AUDIENCE: issuer.audience,
    ANNALS_TLS_CERT_FILE: certFile,
    ANNALS_TLS_KEY_FILE: keyFile,
    ANNALS_TLS_CLIENT_CA_FILE: caFile,
    ANNALS_PEER_CA_FILE: caFile,
  }
}

/** Its processes. `otherWriter` owns the partitions that `writer` does not own. */
export type SplitService = 'writer' | 'otherWriter' | 'snapshotter' | 'projector'

export interface SplitProcesses {
  readonly urls: Readonly<Record<SplitService, string>>
  stop(): Promise<void>
}

/** Starts two writers, a snapshotter and a projector, each in a process of its own. */
export async function startSplit(where: ProtectedInstallation): Promise<SplitProcesses> {
  const started: ServiceProcess[] = []
  const start = async (service: ServiceName, more: Readonly<Record<string, string>> = {}) => {
    const process = await startServiceProcess(service, where, more)
    started.push(process)
    return process.url
  }
  const stop = async () => {
    await Promise.all(started.map((process) => process.stop()))
  }
  try {
    const [writer, otherWriter, projector] = await Promise.all([
      start('writer'),
      start('writer'),
      start('projector'),
    ])
    const snapshotter = await start('snapshotter', {
      ANNALS_SNAPSHOTTER_WRITER_URLS: `${writer},${otherWriter}`,
    })
    return { urls: { writer, otherWriter, snapshotter, projector }, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** An agent that trusts the authority, and logs in with a client certificate if there is one. */
export const agentFor = ({ cert: ca }: CertificateAuthority, certified?: Certified): Agent =>
  new Agent({ connect: { ca, ...certified }, connections: 200 })
