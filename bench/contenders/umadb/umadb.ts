import { randomUUID } from 'node:crypto'

import { appended } from '../../domain/domain.ts'
import type { Contender } from '../contender.ts'
import { appendRequest } from './append-request.ts'
import { GrpcConnection } from './grpc-connection.ts'

/** The server accepts a limited number of concurrent calls on a connection. */
const connections = 4
const data = Buffer.from(appended.data.payload)

/**
 * Appends to UmaDB over gRPC. The tag of the event is its stream, and the append fails if an event with this tag exists,
 * like an append with `no-stream`.
 * @param url `http://host:port` of its server
 */
export async function startUmaDbClient(url: string): Promise<Contender> {
  const opened = await Promise.all(Array.from({ length: connections }, () => GrpcConnection.open(url)))
  let next = 0
  return {
    append: (tag) => {
      const connection = opened[next++ % connections]
      if (connection === undefined) return Promise.reject(new Error('there is no such connection'))
      const request = appendRequest({ type: appended.type, tag, data, uuid: randomUUID() })
      return connection.call('/umadb.v1.DCB/Append', request)
    },
    close: async () => {
      await Promise.all(opened.map((connection) => connection.close()))
    },
  }
}
