import { casesOf, type Conversation, type FailingCase, type Failure } from './failing-server.ts'

// https://www.postgresql.org/docs/current/protocol-message-formats.html
const message = (type: string, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const int16 = (value: number): Buffer => int32(value).subarray(2)
const text = (value: string): Buffer => Buffer.from(`${value}\0`)

const authentication = (code: number, ...rest: readonly Buffer[]): Buffer =>
  message('R', int32(code), ...rest)
const readyForQuery = message('Z', Buffer.from('I'))
const commandComplete = message('C', text('SELECT 1'))
const shutdown = message(
  'E',
  ...['SFATAL', 'C57P01', 'Mterminating connection due to administrator command', ''].map(text),
)
const welcome = Buffer.concat([
  authentication(0),
  message('S', text('server_version'), text('15.0')),
  message('K', int32(1), int32(2)),
  readyForQuery,
])

const columns = [
  ['found', 16, 't'],
  ['revision', 20, '7'],
  ['definition', 3802, '{"id":"g"}'],
] as const
const rows = Buffer.concat([
  message(
    'T',
    int16(columns.length),
    ...columns.flatMap(([name, oid]) => [
      text(name),
      int32(0),
      int16(0),
      int32(oid),
      int16(-1),
      int32(-1),
      int16(0),
    ]),
  ),
  message(
    'D',
    int16(columns.length),
    ...columns.flatMap(([, , value]) => [int32(value.length), Buffer.from(value)]),
  ),
])

/** Answers the queries in these bytes: simple ones, and extended ones, which end with Sync. */
function answerQueries(bytes: Buffer): Buffer {
  const answers: Buffer[] = []
  for (let at = 0; at + 5 <= bytes.length; at += 1 + bytes.readInt32BE(at + 1)) {
    const type = String.fromCharCode(bytes[at] ?? 0)
    if (type === 'Q') answers.push(commandComplete, readyForQuery)
    if (type === 'S') answers.push(message('1'), message('2'), rows, commandComplete, readyForQuery)
  }
  return Buffer.concat(answers)
}

/** Each handshake answers one chunk, in turn; queries follow. */
const conversation =
  (...handshakes: readonly Buffer[]) =>
  (): Conversation => {
    let step = 0
    return (bytes) => handshakes[step++] ?? answerQueries(bytes)
  }

const ofPostgres: readonly Failure[] = [
  { name: 'shuts down', fail: (socket) => socket.end(shutdown) },
  {
    name: 'answers and shuts down in one piece',
    fail: (socket, right) => socket.end(Buffer.concat([right, shutdown])),
  },
  {
    name: 'shuts down and answers in one piece',
    fail: (socket, right) => socket.end(Buffer.concat([shutdown, right])),
  },
  {
    name: 'answers and shuts down twice, and stays',
    fail: (socket, right) => socket.write(Buffer.concat([right, shutdown, shutdown])),
  },
  {
    name: 'sends unrequested rows',
    fail: (socket, right) => socket.write(Buffer.concat([right, rows])),
  },
  {
    name: 'sends every kind of message',
    fail: (socket, right) =>
      socket.write(Buffer.concat([right, ...'12CDEGHIKNRSTVWZcdnst'.split('').map((type) => message(type))])),
  },
]

/** PostgreSQL servers that fail during the handshake, with each authentication method, or while answering queries. */
export const postgresCases: readonly FailingCase[] = [
  ...casesOf('postgres', 4, conversation(welcome), ofPostgres),
  ...casesOf('postgres with passwords', 2, conversation(authentication(3), welcome), ofPostgres),
  ...casesOf('postgres with MD5', 2, conversation(authentication(5, int32(42)), welcome), ofPostgres),
  ...casesOf(
    'postgres with SCRAM',
    3,
    conversation(
      authentication(10, text('SCRAM-SHA-256'), text('')),
      authentication(11, Buffer.from('r=nonsense,s=AAAA,i=4096')),
      authentication(12, Buffer.from('v=AAAA')),
      welcome,
    ),
    ofPostgres,
  ),
]
