import { casesOf, type Conversation, type FailingCase, type Failure } from './failing-server.ts'

const head = (status: string, ...fields: readonly string[]): string =>
  ['HTTP/1.1 ' + status, ...fields, '', ''].join('\r\n')
const json = (body: string): string =>
  head('200 OK', 'content-type: application/json', `content-length: ${body.length}`) + body

/** Answers each request; with a stream of events if the request accepts one. */
const converse = (): Conversation => (bytes) => {
  const request = bytes.toString('latin1')
  if (!/^(?:GET|POST|PUT|DELETE) /.test(request)) return Buffer.alloc(0)
  if (!request.includes('text/event-stream')) return Buffer.from(json('{"schema":"{}"}'))
  return Buffer.from(head('200 OK', 'content-type: text/event-stream') + 'id: 1\nevent: start\ndata: {}\n\n')
}

const say = (name: string, what: string): Failure => ({ name, fail: (socket) => socket.write(what) })
const leave = (name: string, what: string): Failure => ({ name, fail: (socket) => socket.end(what) })

const ofHttp: readonly Failure[] = [
  say('sends no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'),
  say('sends an invalid status', head('99999 What')),
  say('sends a malformed field', head('200 OK', 'no colon here')),
  say('sends many 1xx answers', head('100 Continue').repeat(50) + head('103 Early Hints')),
  say(
    'switches protocols',
    head('101 Switching Protocols', 'upgrade: websocket', 'connection: upgrade') + '\x81\x00',
  ),
  say('sends two lengths', head('200 OK', 'content-length: 3', 'content-length: 5') + 'abcde'),
  say('sends a broken chunk', head('200 OK', 'transfer-encoding: chunked') + 'zz\r\nabc\r\n'),
  leave('ends in mid-chunk', head('200 OK', 'transfer-encoding: chunked') + 'ff\r\nabc'),
  leave('ends before the length', head('200 OK', 'content-length: 100') + 'abc'),
  leave('claims gzip', head('200 OK', 'content-encoding: gzip', 'content-length: 3') + 'abc'),
  leave('ends in an event', head('200 OK', 'content-type: text/event-stream') + 'id: 1\ndata: {"a'),
  leave(
    'sends malformed events',
    head('200 OK', 'content-type: text/event-stream') +
      'data: nonsense\n\n: x\n\nevent: problem\ndata: 7\n\n',
  ),
  leave('redirects to nowhere', head('302 Found', 'location: http://127.0.0.1:1/')),
  leave('redirects to itself', head('307 Temporary Redirect', 'location: /', 'content-length: 0')),
  leave(
    'refuses with nonsense',
    head('503 Service Unavailable', 'retry-after: -1', 'content-length: 4') + 'null',
  ),
]

/** HTTP servers that fail at their first or second answer. */
export const httpCases: readonly FailingCase[] = casesOf('http', 2, converse, ofHttp)
