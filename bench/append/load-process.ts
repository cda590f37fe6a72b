// A process of `npm run bench -- append --writers 2`: its callers use its own writer (`core`), or those at the given
// URLs (`http`).
import { AnnalsClient } from '#client'
import { streamIdOf } from '#domain'

import { type CallSamples, runCallers } from '../callers.ts'
import { startCore } from '../contenders/core.ts'
import { httpContender } from '../contenders/http.ts'
import type { LoadAnswer, LoadRequest } from './load-messages.ts'

interface Subject {
  readonly owned: () => number
  readonly measure: (callers: number, durationMs: number, run: string) => Promise<CallSamples>
  readonly close: () => Promise<void>
}

async function openCore(): Promise<Subject> {
  const core = await startCore(process.env as Record<string, string>)
  const { writer } = core.service
  const { advertisedUrl } = core.config.http
  const isOwn = (stream: string) => writer.api.place(streamIdOf('bench-core', stream)).owner === advertisedUrl
  return {
    owned: () => {
      try {
        return writer.checkServing().owned
      } catch {
        return 0
      }
    },
    measure: (callers, durationMs, run) => {
      const names = ownNames(run, isOwn)
      return runCallers(callers, durationMs, () => core.append(names.next().value))
    },
    close: core.close,
  }
}

function openHttp(urls: readonly string[]): Promise<Subject> {
  const { append, close } = httpContender(new AnnalsClient({ urls }))
  const measure: Subject['measure'] = (callers, durationMs, run) =>
    runCallers(callers, durationMs, (n) => append(`${run}-${n}`))
  return Promise.resolve({ owned: () => 0, measure, close })
}

/** New names of streams in the partitions of this process. */
function* ownNames(run: string, isOwn: (stream: string) => boolean): Generator<string, never> {
  for (let n = 0; ; n++) {
    const name = `${run}-${n}`
    if (isOwn(name)) yield name
  }
}

async function answerTo(subject: Subject, request: LoadRequest): Promise<LoadAnswer | undefined> {
  switch (request.kind) {
    case 'owned':
      return { kind: 'owned', owned: subject.owned() }
    case 'measure': {
      const { callers, durationMs, run } = request
      return { kind: 'measured', samples: await subject.measure(callers, durationMs, run) }
    }
    case 'close':
      await subject.close()
      process.disconnect()
      return undefined
  }
}

const send = (answer: LoadAnswer): void => {
  process.send?.(answer)
}
const failed = (error: unknown): void => send({ kind: 'failed', reason: String(error) })

const [, , kind, urls = ''] = process.argv
const subject = await (kind === 'core' ? openCore() : openHttp(urls.split(',')))
process.on('message', (request: LoadRequest) => {
  answerTo(subject, request).then((answer) => answer && send(answer), failed)
})
send({ kind: 'started' })
