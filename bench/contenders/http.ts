import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

import { AnnalsClient } from '#client'

import { appended } from '../domain/domain.ts'
import type { Contender } from './contender.ts'

const startMsMax = 60_000

/** The writer as a process of its own, reached through the SDK. */
export async function startHttp(env: Readonly<Record<string, string>>): Promise<Contender> {
  const url = `http://127.0.0.1:${env['ANNALS_PORT'] ?? ''}`
  const service = spawn(
    process.execPath,
    ['--disable-warning=TimeoutNegativeWarning', 'services/writer/main.ts'],
    {
      env: { ...process.env, ...env, ANNALS_LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  await untilReady(url, service)
  const client = new AnnalsClient({ url })
  return {
    append: (stream) => client.append(`bench-http.${stream}`, [appended], { expectedVersion: 'no-stream' }),
    close: async () => {
      await client.close()
      service.kill('SIGTERM')
      if (service.exitCode === null) await once(service, 'exit')
    },
  }
}

async function untilReady(url: string, service: ChildProcess): Promise<void> {
  const deadlineMs = performance.now() + startMsMax
  while (service.exitCode === null && performance.now() < deadlineMs) {
    const isReady = await fetch(`${url}/owners`)
      .then((answer) => answer.json() as Promise<{ partitions?: unknown[] }>)
      .then(({ partitions }) => (partitions?.length ?? 0) > 0)
      .catch(() => false)
    if (isReady && (await fetch(`${url}/health/ready`)).ok) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  service.kill('SIGKILL')
  throw new Error(`the writer at ${url} did not become ready within ${startMsMax / 1_000} s`)
}
