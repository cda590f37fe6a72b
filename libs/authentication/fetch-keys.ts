import type { JSONWebKeySet } from 'jose'
import { request } from 'undici'

/** Limits of one request for keys. */
export interface FetchLimits {
  /** Of the whole request. */
  readonly timeoutMs: number
  readonly bytesMax: number
}

/**
 * Fetches the public keys of an issuer. Redirects are not followed: the URL in the settings is the one that is trusted.
 * @throws Error that says why there are none: away, slow, too large, not a key set, or without a key for signatures.
 */
export async function fetchKeys(url: string, { timeoutMs, bytesMax }: FetchLimits): Promise<JSONWebKeySet> {
  const signal = AbortSignal.timeout(timeoutMs)
  const { statusCode, body } = await request(url, {
    headers: { accept: 'application/json, application/jwk-set+json', 'accept-encoding': 'identity' },
    signal,
    // It is used once in many minutes: an open connection would be of no use.
    reset: true,
  })
  // A body that is left emits an error, which would end the process if nobody listened.
  body.on('error', () => undefined)
  try {
    if (statusCode !== 200) throw new Error(`the answer has status ${statusCode}, expected 200`)
    return keySetIn(await textOf(body, bytesMax))
  } finally {
    body.destroy()
  }
}

async function textOf(body: AsyncIterable<Buffer>, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > bytesMax) throw new Error(`the answer has more than ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function keySetIn(text: string): JSONWebKeySet {
  const json = parsed(text)
  const keys: unknown = typeof json === 'object' && json !== null && 'keys' in json ? json.keys : undefined
  if (!Array.isArray(keys)) throw new Error('the answer is not a JSON Web Key Set')
  const usable = keys.filter(isSignatureKey)
  if (usable.length === 0) throw new Error('the key set has no public key for signatures')
  return { keys: usable }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('the answer is not JSON')
  }
}

function isSignatureKey(key: unknown): key is JSONWebKeySet['keys'][number] {
  if (typeof key !== 'object' || key === null) return false
  const { kty, use } = key as { readonly kty?: unknown; readonly use?: unknown }
  return (kty === 'RSA' || kty === 'EC' || kty === 'OKP') && (use === undefined || use === 'sig')
}
