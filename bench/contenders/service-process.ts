import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

import { Agent, request } from 'undici'

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
  /** Certificate of the authority that signed the certificate of the service, if it has one (PEM). */
  readonly ca?: string
}

/** Starts a service that includes a writer, and waits until it owns its partitions. */
export async function startService(
  name: 'writer' | 'platform',
  env: Readonly<Record<string, string>>,
  { checkout = process.cwd(), headers = {}, ca }: StartOptions = {},
): Promise<ServiceProcess> {
  const url = `${ca === undefined ? 'http' : 'https'}://127.0.0.1:${env['ANNALS_PORT'] ?? ''}`
  const service = spawn(process.execPath, [...nodeArguments, `services/${name}/main.ts`], {
    cwd: checkout,
    env: { ...process.env, ...env, ANNALS_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const dispatcher = new Agent(ca === undefined ? {} : { connect: { ca } })
  await untilReady(name, url, service, { headers, dispatcher }).finally(() => dispatcher.close())
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
  options: { readonly headers: Readonly<Record<string, string>>; readonly dispatcher: Agent },
): Promise<void> {
  const deadlineMs = performance.now() + startMsMax
  while (service.exitCode === null && performance.now() < deadlineMs) {
    const isReady = await request(`${url}/owners`, options)
      .then(({ body }) => body.json() as Promise<{ partitions?: unknown[] }>)
      .then(({ partitions }) => (partitions?.length ?? 0) > 0)
      .catch(() => false)
    if (isReady && (await isOk(`${url}/health/ready`, options.dispatcher))) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  service.kill('SIGKILL')
  throw new Error(`the ${name} at ${url} did not become ready within ${startMsMax / 1_000} s`)
}

async function isOk(url: string, dispatcher: Agent): Promise<boolean> {
  const { statusCode, body } = await request(url, { dispatcher })
  await body.dump()
  return statusCode === 200
}
