import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

interface Answer {
  readonly status: number
  readonly body: unknown
}

/**
 * An in-memory registry with the part of Confluent's HTTP API that Annals uses. It accepts any schema, except where an
 * answer is planned.
 */
export class FakeRegistry {
  readonly url: string
  readonly #server: Server
  readonly #texts: string[] = []
  readonly #subjects = new Map<string, number[]>()
  /** Requests so far: `POST /subjects/x/versions`. */
  readonly requests: string[] = []
  /** Headers of the latest request. */
  headers: IncomingMessage['headers'] = {}
  /** Compatibility by subject. */
  readonly config = new Map<string, string>()
  /** Answers used instead, first to last. */
  readonly planned: Answer[] = []

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  /** Starts on a free port; stopped after the test. */
  static async start(): Promise<FakeRegistry> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const registry = new FakeRegistry(server)
    server.on('request', (request, response) => {
      void registry.#handle(request, response)
    })
    onTestFinished(() => registry.stop())
    return registry
  }

  /** Refuses connections from now on. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  /** The schema's id, new or not. */
  add(subject: string, text: string): number {
    const known = this.#texts.indexOf(text)
    const id = known < 0 ? this.#texts.push(text) : known + 1
    this.#subjects.set(subject, [...new Set([...(this.#subjects.get(subject) ?? []), id])])
    return id
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const [method, url] = [request.method ?? '', request.url ?? '']
    this.requests.push(`${method} ${url}`)
    this.headers = request.headers
    const sent = (text === '' ? {} : JSON.parse(text)) as Record<string, string>
    const { status, body } = this.planned.shift() ?? this.#answer(method, url, sent)
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

  #answer(method: string, url: string, sent: Record<string, string>): Answer {
    const [kind, first = '', second] = url.slice(1).split('/').map(decodeURIComponent)
    const schema = sent['schema'] ?? ''
    if (kind === 'config') {
      if (!this.#subjects.has(first)) return notFound('subject')
      this.config.set(first, sent['compatibility'] ?? '')
      return { status: 200, body: sent }
    }
    if (kind === 'schemas') {
      const known = this.#texts[Number(second === 'ids' ? '' : url.split('/').at(-1)) - 1]
      return known === undefined ? notFound('schema') : { status: 200, body: { schema: known } }
    }
    if (kind === 'compatibility') return { status: 200, body: { is_compatible: true } }
    if (second === 'versions') return { status: 200, body: { id: this.add(first, schema) } }
    const id = this.#texts.indexOf(schema) + 1
    const found = method === 'POST' && (this.#subjects.get(first)?.includes(id) ?? false)
    return found ? { status: 200, body: { id } } : notFound('schema')
  }
}

const notFound = (what: string): Answer => ({ status: 404, body: { message: `no such ${what}` } })
