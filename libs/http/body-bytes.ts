import type { Socket } from 'node:net'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import { refuseOnSocket } from './broken-requests.ts'
import { isChange } from './change.ts'
import { refusalProblem } from './request-refusal.ts'

/** Bodies that declare at most this size are not counted: the bound of connections limits them. */
const uncountedBytesMax = 64 * 1_024

interface Body {
  readonly socket: Socket
  bytes: number
  isOver: boolean
}

/**
 * Bounds the bytes of all bodies that are arriving or being processed. Beyond the bound, the body that has been
 * arriving for the longest time is aborted: ordinary clients finish long before.
 */
export function boundBodyBytes(app: FastifyInstance, bytesMax: number): void {
  /** In the order of arrival. */
  const arriving = new Set<Body>()
  let bytes = 0
  const forget = (body: Body) => {
    arriving.delete(body)
    bytes -= body.bytes
    body.bytes = 0
    body.isOver = true
  }
  const giveUpOldest = () => {
    const [oldest] = arriving
    if (oldest === undefined) return
    forget(oldest)
    refuseOnSocket(oldest.socket, tooManyBytes(bytesMax))
    oldest.socket.destroySoon()
  }
  app.addHook('preParsing', (request, reply, payload, done) => {
    if (isChange(request.method) && !isSmall(request)) {
      const body: Body = { socket: request.raw.socket, bytes: 0, isOver: false }
      arriving.add(body)
      payload.on('data', (chunk: Buffer) => {
        if (body.isOver) return
        body.bytes += chunk.length
        bytes += chunk.length
        if (bytes > bytesMax) giveUpOldest()
      })
      payload.once('end', () => arriving.delete(body))
      reply.raw.once('close', () => forget(body))
    }
    done(null, payload)
  })
}

function isSmall({ headers }: FastifyRequest): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers
  return encoding === undefined && Number(length ?? 0) <= uncountedBytesMax
}

const tooManyBytes = (max: number) =>
  refusalProblem(
    'too-many-bytes',
    `the bodies of all requests exceed ${max} bytes together: nothing was done; send this request again, faster or in parts`,
  )
