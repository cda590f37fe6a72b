import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { onTestFinished } from 'vitest'

import { createMetrics } from '#observability'
import { clientCertificateOf, type HttpServer, type HttpServerOptions, listen } from '#http'

import { bareServer } from '../http/bare-server.ts'
import { type CertificateAuthority, type Certified, writeCertified } from './certificates.ts'

/** A folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'annals-tls-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

export interface TlsTestServer {
  readonly app: HttpServer
  readonly port: number
  readonly files: { readonly certFile: string; readonly keyFile: string; readonly clientCaFile?: string }
  readonly metrics: () => Promise<string>
}

/**
 * A server with TLS at a free port of this machine, closed after the test. `GET /who` returns the client certificate, and
 * `POST /echo` its body. It reads its files every 50 ms.
 * @param clientCa the authority of client certificates; default: clients are not asked for any
 */
export async function tlsServer(
  certified: Certified,
  clientCa?: Pick<CertificateAuthority, 'cert'>,
  options: Partial<HttpServerOptions> = {},
): Promise<TlsTestServer> {
  const folder = await temporaryFolder()
  const own = await writeCertified(folder, 'server', certified)
  const ca =
    clientCa && (await writeCertified(folder, 'client-ca', { cert: clientCa.cert, key: '' })).certFile
  const files = { ...own, ...(ca !== undefined && { clientCaFile: ca }) }
  const metrics = createMetrics({ service: 'test', processMetrics: false })
  const app = await bareServer({ metrics, tls: { ...files, reloadIntervalMs: 50 }, ...options })
  app.get('/who', { config: { access: 'public' } }, (request) => ({
    certificate: clientCertificateOf(request) ?? 'none',
  }))
  app.post('/echo', { config: { access: 'public' } }, (request) => request.body)
  const { operationsPort } = options
  await listen(app, { host: '127.0.0.1', port: 0, ...(operationsPort !== undefined && { operationsPort }) })
  const address = app.server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  return { app, port, files, metrics: () => metrics.metrics() }
}
