import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { type Assignment, AssignerProtocol, type Consumer, Kafka, logLevel } from 'kafkajs'
import { onTestFinished } from 'vitest'

import { testStack } from '../stack/stack.ts'

/** A client that joins an Annals group by its protocol, with arbitrary metadata. */
interface ForeignMemberOptions {
  readonly groupId: string
  readonly topic: string
  /** Its member metadata. */
  readonly userData: Buffer
  /** Further topics in its metadata, besides the one that it subscribes to. */
  readonly topics?: readonly string[]
  /** The assignment it makes when it leads the group; default: none. */
  readonly assign?: (memberIds: readonly string[]) => { memberId: string; memberAssignment: Buffer }[]
}

export const assignmentBytes = (assignment: Assignment): Buffer =>
  AssignerProtocol.MemberAssignment.encode({ version: 0, assignment, userData: Buffer.alloc(0) })

/** Joins a group of writers as a plain consumer. It leaves at the end of the test. */
export async function joinAsForeign(options: ForeignMemberOptions): Promise<Consumer> {
  const { groupId, topic, topics = [], userData, assign = () => [] } = options
  const name = 'annals-sticky'
  const kafka = new Kafka({ brokers: [...testStack().kafkaBrokers], logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({
    groupId,
    heartbeatInterval: 250,
    partitionAssigners: [
      () => ({
        name,
        version: 0,
        protocol: () => ({
          name,
          metadata: AssignerProtocol.MemberMetadata.encode({
            version: 0,
            topics: [topic, ...topics],
            userData,
          }),
        }),
        assign: ({ members }) => Promise.resolve(assign(members.map(({ memberId }) => memberId))),
      }),
    ],
  })
  onTestFinished(() => consumer.disconnect())
  await consumer.connect()
  await consumer.subscribe({ topic })
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve))
  await consumer.run({ eachMessage: () => Promise.resolve() })
  await joined
  return consumer
}

/** An HTTP server that records its requests and gives the same answer to all. */
export async function recordingServer(
  status = 200,
  headers: Readonly<Record<string, string>> = {},
  body: unknown = {},
): Promise<{ readonly url: string; readonly requests: string[]; readonly headers: string[] }> {
  const requests: string[] = []
  const names: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`)
    names.push(...Object.keys(request.headers))
    request.resume().on('end', () => response.writeHead(status, headers).end(JSON.stringify(body)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, requests, headers: names }
}
