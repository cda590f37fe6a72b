import { onTestFinished } from 'vitest'

import type { Installation } from './real-writer.ts'
import { type ServiceProcess, startServiceProcess } from './service-process.ts'

/** The shortest session time-out that brokers allow, so that a dead member is noticed soon. */
export const shortSessions = { ANNALS_PROJECTOR_SESSION_TIMEOUT: '6s' }

/** A projector in a separate process that is stopped at the end of the test. */
export async function projectorProcess(
  where: Installation,
  env?: Readonly<Record<string, string>>,
): Promise<ServiceProcess> {
  const projector = await startServiceProcess('projector', where, env)
  onTestFinished(() => projector.stop())
  return projector
}

/** The sum of a running service's metric over all series with the given labels. */
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

/** The number of source partitions that a projector owns, from its readiness check. */
export async function ownedBy(url: string): Promise<number> {
  const ready = (await (await fetch(`${url}/health/ready`)).json()) as {
    readonly checks: { readonly projections: { readonly details: { readonly partitions: number } } }
  }
  return ready.checks.projections.details.partitions
}
