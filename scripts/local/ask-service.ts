import { Agent, request } from 'undici'

const probeMs = 4_000
/** Probes go to the platform of this machine and carry no credential, so any certificate will do. */
const dispatcher = new Agent({ connect: { rejectUnauthorized: false }, keepAliveTimeout: 1_000 })

/** The answer of a service to a request for its health. @throws Error when it does not answer in time */
export async function askService(url: string): Promise<{ readonly isOk: boolean; readonly body: unknown }> {
  const { statusCode, body } = await request(url, { dispatcher, signal: AbortSignal.timeout(probeMs) })
  return { isOk: statusCode >= 200 && statusCode < 300, body: await body.json() }
}

/** Whether a service answers that it is well. */
export const isServiceOk = (url: string): Promise<boolean> =>
  askService(url).then(
    ({ isOk }) => isOk,
    () => false,
  )
