import { casesOf, type Conversation, type FailingCase, type Failure } from './failing-server.ts'

const info = 'redis_version:7.0.0\r\nloading:0\r\n'
const answers: Readonly<Record<string, string>> = {
  INFO: `$${info.length}\r\n${info}\r\n`,
  'CLUSTER SLOTS': '*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$0\r\n\r\n:0\r\n',
  EVALSHA: '-NOSCRIPT No matching script\r\n',
  HMGET: '*2\r\n$1\r\na\r\n$-1\r\n',
}

/** Answers each command in a chunk; ioredis sends whole commands. */
const converse = (): Conversation => (bytes) => {
  const commands = bytes.toString('latin1').split(/(?=\*\d+\r\n\$)/)
  return Buffer.from(
    commands
      .map((command) => {
        const name = command
          .split('\r\n')
          .filter((_, at) => at % 2 === 0 && at > 0)
          .slice(0, 2)
        return answers[name.join(' ').toUpperCase()] ?? answers[name[0]?.toUpperCase() ?? ''] ?? '+OK\r\n'
      })
      .join(''),
  )
}

const say = (name: string, what: string): Failure => ({ name, fail: (socket) => socket.write(what) })
const behind = (name: string, what: string): Failure => ({
  name,
  fail: (socket, right) => socket.write(Buffer.concat([right, Buffer.from(what)])),
})

const ofRedis: readonly Failure[] = [
  say('is loading', '-LOADING Redis is loading the dataset in memory\r\n'),
  say('asks for a password', '-NOAUTH Authentication required.\r\n'),
  say('moves slots to nowhere', '-MOVED 1 127.0.0.1:1\r\n'),
  say('moves slots to no address', '-MOVED nonsense\r\n'),
  say('redirects to an empty address', '-ASK 1 :\r\n'),
  say('is a replica', '-READONLY You can’t write against a read only replica.\r\n'),
  say('answers deep nests', '*1\r\n'.repeat(5_000)),
  say('answers with a map', '%1\r\n+a\r\n+b\r\n'),
  say('answers no numbers', ':abc\r\n$x\r\n*y\r\n'),
  behind('answers and then sends nil', '$-1\r\n$-1\r\n'),
  behind('answers and then pushes nil', '>2\r\n$-1\r\n$-1\r\n'),
  behind('answers and then sends an error', '-ERR unrequested\r\n'),
  behind('answers and then publishes', '>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n'),
]

/** Redis servers that fail while a client connects, or while they answer. */
export const redisCases: readonly FailingCase[] = casesOf('redis', 4, converse, ofRedis)
