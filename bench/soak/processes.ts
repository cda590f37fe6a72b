import { join } from 'node:path'

import {
  freePorts,
  httpOk,
  lastLines,
  nodeArguments,
  type Server,
  startServer,
} from '../../scripts/stack/index.ts'

export type ServiceName = 'platform' | 'writer' | 'snapshotter' | 'projector'

/** A service under load. */
export interface Process {
  readonly name: ServiceName
  readonly url: string
  /** Whether it has exited unexpectedly. */
  readonly hasEnded: () => boolean
  readonly logTail: () => string
  readonly stop: () => Promise<void>
}

const repository = join(import.meta.dirname, '../..')

/**
 * Starts services in the given order, the writer first, each on its own port; they are ready when this resolves.
 * @param folder for their logs
 */
export async function startProcesses(
  names: readonly ServiceName[],
  env: Readonly<Record<string, string>>,
  folder: string,
): Promise<Process[]> {
  const ports = await freePorts(names.length)
  const common = { ...env, ANNALS_SNAPSHOTTER_WRITER_URLS: `http://127.0.0.1:${ports[0] ?? 0}` }
  const started: Process[] = []
  for (const [index, name] of names.entries()) {
    started.push(await startProcess(name, { ...common, ANNALS_PORT: String(ports[index]) }, folder))
  }
  return started
}

async function startProcess(
  name: ServiceName,
  env: Readonly<Record<string, string>>,
  folder: string,
): Promise<Process> {
  const url = `http://127.0.0.1:${env['ANNALS_PORT'] ?? ''}`
  const server: Server = await startServer({
    name,
    command: process.execPath,
    args: [...nodeArguments, `services/${name}/main.ts`],
    cwd: repository,
    env: { ...env, ANNALS_LOG_PRETTY: 'false', ANNALS_LOG_LEVEL: 'warn' },
    logFile: join(folder, `${name}.log`),
    healthy: () => httpOk(`${url}/health/ready`),
  })
  let isOver = false
  void server.exited.then(() => (isOver = true))
  return {
    name,
    url,
    hasEnded: () => isOver,
    logTail: () => lastLines(server.logFile, 5).join('\n'),
    stop: () => server.stop(),
  }
}
