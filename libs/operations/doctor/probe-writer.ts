import { Agent, fetch } from 'undici'

import { type Config, isLoopback } from '#config'
import { peerTls } from '#service'

import { fail, type DoctorFinding, ok } from './finding.ts'

const probeMs = 5_000

/** Whether the owner at this URL is ready, and rejects those who do not log in. */
export async function probeWriter(url: string, config: Config): Promise<DoctorFinding[]> {
  const agent = new Agent({ connect: { ...peerTls(config) } })
  const get = (path: string) =>
    fetch(new URL(path, url), {
      redirect: 'error',
      signal: AbortSignal.timeout(probeMs),
      dispatcher: agent,
    })
  try {
    const readiness = await get('/health/ready')
    const text = (await readiness.text()).slice(0, 300)
    const { status, body } = await get('/owners')
    await body?.cancel()
    return [readinessOf(url, readiness.ok, text), ...judgeOpenness(url, status, config)]
  } catch (error) {
    const reason =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    const remedy =
      'Set its ANNALS_ADVERTISED_URL to a URL that clients can reach; if it has crashed, another writer takes over in seconds'
    return [fail(`writer ${url}`, `it owns partitions and does not answer: ${reason}`, remedy)]
  } finally {
    await agent.destroy()
  }
}

function readinessOf(url: string, isReady: boolean, text: string): DoctorFinding {
  const subject = `writer ${url}`
  if (isReady) return ok(subject, 'it is ready')
  const remedy = 'Fix the reason that it reports; see the log of the writer for details'
  return fail(subject, `it is not ready: ${text}`, remedy)
}

/** @param status of its response to a request without credentials that everyone may make who logs in */
export function judgeOpenness(
  url: string,
  status: number,
  { access: { mode = 'open' } }: Pick<Config, 'access'>,
): DoctorFinding[] {
  const subject = `access to ${url}`
  if (status === 401) return [ok(subject, 'those who do not log in are rejected')]
  if (status !== 200) return []
  const remedy = 'Start it with ANNALS_ACCESS=topic or file, like every service of the installation'
  if (mode !== 'open')
    return [fail(subject, `everyone gets in, although ANNALS_ACCESS is ${mode} here`, remedy)]
  return isLoopback(new URL(url).hostname)
    ? []
    : [fail(subject, 'everyone who reaches it may read, append and operate', remedy)]
}
