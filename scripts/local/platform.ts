import { join } from 'node:path'
import { nodeArguments, repository, startServer } from '../stack/index.ts'
import { isServiceOk } from './ask-service.ts'
import type { Part } from './part.ts'
import { startedProbe } from './readiness.ts'
import { keepRunning } from './restarting.ts'
import { serviceEnvironment } from './environment.ts'
import { builtInDefault, type StackSettings } from './settings.ts'

const name = 'Platform'
/** Shorter than a whole start may take: what is not served by then is reported, and the stack stays up. */
const readyMsMax = 60_000

/** Writer, snapshotter and projector as one process of this machine, independent of where the servers run. */
export function platform(settings: StackSettings): Part {
  const protocol = process.env['ANNALS_TLS_CERT_FILE'] ? 'https' : 'http'
  const address = `${protocol}://${reachable(settings.host)}:${settings.ports.platform}`
  const healthy = () => isServiceOk(`${address}/health/live`)
  const life = { live: healthy }
  const logFile = join(settings.folders.logs, 'platform.log')
  return {
    name,
    ports: ['platform'],
    start: async (report, changed) => {
      const start = (signal: AbortSignal, spawned: (pid: number) => void) =>
        startServer({
          ...{ name, logFile, report, signal, spawned },
          healthy: startedProbe(address, readyMsMax),
          command: process.execPath,
          args: [...nodeArguments, join(repository, 'services', 'platform', 'main.ts')],
          // Paths in the environment are relative to the directory of the start command.
          cwd: process.cwd(),
          env: { ...builtIns(process.env), ...serviceEnvironment(settings, process.env) },
        })
      return [await keepRunning({ name, address, healthy, life, start, report, changed })]
    },
  }
}

const builtIns = ({ ANNALS_PROJECTOR_BUILT_IN: chosen }: NodeJS.ProcessEnv): Record<string, string> =>
  chosen === undefined ? { ANNALS_PROJECTOR_BUILT_IN: builtInDefault } : {}

/** The address at which a service that listens on all addresses is reached. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
