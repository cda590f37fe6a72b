import { readFileSync } from 'node:fs'
import { get } from 'node:https'

/** Whether the URL responds with success, over TLS. @param caFile certificates of the authorities to trust */
export function httpsOk(url: string, caFile: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = get(url, { ca: readFileSync(caFile), agent: false, timeout: 2_000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('timeout', () => request.destroy(new Error(`${url} does not answer`)))
    request.on('error', reject)
  })
}
