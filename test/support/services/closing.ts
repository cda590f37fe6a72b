import { onTestFinished } from 'vitest'

import { AnnalsClient, type ClientOptions } from '#client'
import type { HttpRoutes } from '#http'

import type { WriterApi } from '../../../services/writer/writer-api.ts'
import { type HttpWriter, type HttpWriterOptions, startHttp, startHttpWriter } from '../http/http-writer.ts'

/** A client that is closed at the end of the test. */
export function testClient(options: ClientOptions): AnnalsClient {
  const client = new AnnalsClient(options)
  onTestFinished(() => client.close())
  return client
}

/** A writer over HTTP that is closed at the end of the test. */
export async function testWriter(api: WriterApi, options?: HttpWriterOptions): Promise<HttpWriter> {
  const writer = await startHttpWriter(api, options)
  onTestFinished(() => writer.app.close())
  return writer
}

/** A server with other routes, closed at the end of the test too. */
export async function testHttp(routes: HttpRoutes, options?: HttpWriterOptions): Promise<HttpWriter> {
  const server = await startHttp(routes, options)
  onTestFinished(() => server.app.close())
  return server
}
