import { onTestFinished } from 'vitest'

import type { Installation } from './real-writer.ts'
import { type ServiceProcess, startServiceProcess } from './service-process.ts'

/** As short as brokers allow: who is gone is noticed soon. */
export const shortSessions = { ANNALS_PROJECTOR_SESSION_TIMEOUT: '6s' }

/** A projector in a process of its own that is gone at the end of the test. */
export async function projectorProcess(
  where: Installation,
  env?: Readonly<Record<string, string>>,
): Promise<ServiceProcess> {
  const projector = await startServiceProcess('projector', where, env)
  onTestFinished(() => projector.stop())
  return projector
}

/** What a metric of a running service comes to, over all labels that contain the given ones. */
export async function metricOf(
  url: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  return text
    .split('\n')
    .filter((line) => new RegExp(`^${name}[{ ]`).test(line) && wanted.every((each) => line.includes(each)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

/** How many source partitions a projector has, as its readiness tells. */
export async function ownedBy(url: string): Promise<number> {
  const ready = (await (await fetch(`${url}/health/ready`)).json()) as {
    readonly checks: { readonly projections: { readonly details: { readonly partitions: number } } }
  }
  return ready.checks.projections.details.partitions
}
