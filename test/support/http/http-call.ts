import { testWriter } from '../services/closing.ts'
import { InMemoryWriter } from '../append/in-memory-writer.ts'

interface Answer {
  readonly status: number
  readonly type: string | null
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

export type Call = (
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>

/** A writer over HTTP, and a function that calls it and returns the whole answer. */
export async function callableWriter(
  bodyLimitBytes = 20_000,
): Promise<{ api: InMemoryWriter; url: string; call: Call }> {
  const api = new InMemoryWriter()
  const { url } = await testWriter(api, { bodyLimitBytes })
  return { api, url, call: callerOf(url) }
}

/** A function that calls a server and returns the whole answer. */
export function callerOf(url: string): Call {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method,
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      headers: { ...(method !== 'GET' && { 'content-type': 'application/json' }), ...headers },
    })
    const text = await response.text()
    const type = response.headers.get('content-type')
    const json = /json/.test(type ?? '') ? (JSON.parse(text) as Answer['body']) : { text }
    return { status: response.status, type, headers: response.headers, body: json }
  }
}

/** Reads an answer until it matches the pattern or ends, then cancels it. */
export async function readSome(response: Response, until: RegExp): Promise<string> {
  const reader = response.body?.getReader()
  let text = ''
  while (reader !== undefined && !until.test(text)) {
    const chunk = (await reader.read()) as { readonly value: Uint8Array | undefined }
    if (chunk.value === undefined) break
    text += Buffer.from(chunk.value).toString()
  }
  await reader?.cancel()
  return text
}
