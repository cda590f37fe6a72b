import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

import { nodeArguments } from '../../scripts/stack/index.ts'

const startMsMax = 60_000

/** A service in a separate process. */
export interface ServiceProcess {
  readonly url: string
  /** Ends the process: SIGTERM unless another signal is given. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>
}

interface StartOptions {
  /** The folder of its sources; default: the current one. */
  readonly checkout?: string
  /** Headers of the requests that ask for its state, where it requires a credential. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Starts a service that includes a writer, and waits until it owns its partitions. */
export async function startService(
  name: 'writer' | 'platform',
  env: Readonly<Record<string, string>>,
  { checkout = process.cwd(), headers = {} }: StartOptions = {},
): Promise<ServiceProcess> {
  const url = `http://127.0.0.1:${env['ANNALS_PORT'] ?? ''}`
  const service = spawn(process.execPath, [...nodeArguments, `services/${name}/main.ts`], {
    cwd: checkout,
    env: { ...process.env, ...env, ANNALS_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  await untilReady(name, url, service, headers)
  return {
    url,
    stop: async (signal = 'SIGTERM') => {
      service.kill(signal)
      if (service.exitCode === null && service.signalCode === null) await once(service, 'exit')
    },
  }
}

async function untilReady(
  name: string,
  url: string,
  service: ChildProcess,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const deadlineMs = performance.now() + startMsMax
  while (service.exitCode === null && performance.now() < deadlineMs) {
    const isReady = await fetch(`${url}/owners`, { headers })
      .then((answer) => answer.json() as Promise<{ partitions?: unknown[] }>)
      .then(({ partitions }) => (partitions?.length ?? 0) > 0)
      .catch(() => false)
    if (isReady && (await fetch(`${url}/health/ready`)).ok) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  service.kill('SIGKILL')
  throw new Error(`the ${name} at ${url} did not become ready within ${startMsMax / 1_000} s`)
}
