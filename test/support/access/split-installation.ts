import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Agent } from 'undici'

import type { AccessDocument } from '#access'
import type { TokenIssuer } from '#authentication/testing'

import { startProjectorService } from '../../../services/projector/index.ts'
import { startSnapshotterService } from '../../../services/snapshotter/index.ts'
import { startWriterService } from '../../../services/writer/index.ts'
import { type Installation, installation } from '../services/real-writer.ts'
import { type RealParts, startReal } from '../services/real-service.ts'
import { waitFor } from '../stack/stack.ts'
import { CertificateAuthority, type Certified, writeCertified } from '../tls/certificates.ts'

/** Two writers, a snapshotter and a projector with TLS and access control, each with its own server. */
export interface SplitInstallation {
  readonly where: Installation
  readonly urls: Readonly<Record<'writer' | 'otherWriter' | 'snapshotter' | 'projector', string>>
  readonly agent: Agent
  readonly authority: CertificateAuthority
  close(): Promise<void>
}

/** @param document who may do what, given the aggregate types and projections of the installation */
export async function startSplitInstallation(
  issuer: TokenIssuer,
  document: (where: Installation) => AccessDocument,
): Promise<SplitInstallation> {
  const folder = await mkdtemp(join(tmpdir(), 'annals-split-'))
  const authority = await CertificateAuthority.create('split installation')
  const where = installation(
    { ANNALS_KAFKA_PARTITIONS: '4', ...(await protectedBy(folder, authority, issuer)) },
    2,
  )
  await writeFile(join(folder, 'access.json'), JSON.stringify(document(where)), { mode: 0o600 })
  const opened: RealParts[] = []
  const opening = async <Service extends RealParts>(service: Promise<Service>): Promise<Service> => {
    const open = await service
    opened.push(open)
    return open
  }
  const writer = await opening(startReal(where.env, startWriterService))
  const otherWriter = await opening(startReal(where.env, startWriterService))
  const ofWriters = { ...where.env, ANNALS_SNAPSHOTTER_WRITER_URLS: `${writer.url},${otherWriter.url}` }
  const snapshotter = await opening(startReal(ofWriters, startSnapshotterService))
  const projector = await opening(startReal(where.env, startProjectorService))
  await waitFor('all services to serve', () => {
    for (const { writer: each } of [writer, otherWriter]) each.checkServing()
    snapshotter.snapshotter.checkServing()
    projector.projector.checkServing()
    return Promise.resolve(true)
  })
  const agent = new Agent({ connect: { ca: authority.cert }, connections: 100 })
  return {
    where,
    urls: {
      writer: writer.url,
      otherWriter: otherWriter.url,
      snapshotter: snapshotter.url,
      projector: projector.url,
    },
    agent,
    authority,
    close: async () => {
      await agent.destroy()
      for (const each of opened.toReversed()) await each.close()
      await rm(folder, { recursive: true })
      where.domain.remove()
    },
  }
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
    ANNALS_ACCESS: 'file',
    ANNALS_ACCESS_FILE: join(folder, 'access.json'),
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

/** An agent that logs in with a client certificate. */
export const agentWith = (authority: CertificateAuthority, { cert, key }: Certified): Agent =>
  new Agent({ connect: { ca: authority.cert, cert, key }, connections: 20 })
