import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import {
  freePorts,
  httpOk,
  lastLines,
  repository,
  type Server,
  startServer,
} from '../../../scripts/stack/index.ts'
import { httpsOk } from './https-ok.ts'
import type { Installation } from './real-writer.ts'

/** A folder in `services`. */
export type ServiceName = 'writer' | 'projector' | 'snapshotter' | 'platform'

/** A service in a separate process, as in production. It can be killed, paused and resumed. */
export interface ServiceProcess extends Pick<Server, 'pid' | 'exited' | 'kill'> {
  readonly url: string
  /** The last lines it logged. */
  logTail(lines?: number): string
  /** Stops it with SIGTERM, after 15 s with SIGKILL. Does nothing if it is dead already. */
  stop(): Promise<void>
}

/**
 * Starts a service on a free port and waits until it is ready. It ends with the test's process at the latest. With
 * ANNALS_TLS_CERT_FILE its URL starts with https:, and ANNALS_PEER_CA_FILE must be set.
 * @param probe the path that must answer 200.
 */
export async function startServiceProcess(
  service: ServiceName,
  { env }: Installation,
  more: Readonly<Record<string, string>> = {},
  probe: '/health/ready' | '/health/live' = '/health/ready',
): Promise<ServiceProcess> {
  const folder = mkdtempSync(join(tmpdir(), `annals-${service}-`))
  const [port = 0] = await freePorts(1)
  const all: Record<string, string> = {
    ANNALS_LOG_PRETTY: 'false',
    ...env,
    ...more,
    ANNALS_PORT: String(port),
  }
  const caFile = 'ANNALS_TLS_CERT_FILE' in all ? (all['ANNALS_PEER_CA_FILE'] ?? '') : undefined
  const url = `${caFile === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  const server = await startServer({
    name: service,
    command: process.execPath,
    args: [`services/${service}/main.ts`],
    cwd: repository,
    env: all,
    logFile: join(folder, `${service}.log`),
    healthy: () => (caFile === undefined ? httpOk(url + probe) : httpsOk(url + probe, caFile)),
  })
  return {
    pid: server.pid,
    exited: server.exited,
    kill: (signal) => server.kill(signal),
    url,
    logTail: (lines = 15) => lastLines(server.logFile, lines).join('\n'),
    stop: async () => {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
