import { execFile } from 'node:child_process'

import { expect, onTestFinished, test } from 'vitest'

import { repository } from '../../scripts/stack/index.ts'
import { type FailingCase, failingServers } from '../support/failing-servers/failing-server.ts'
import { httpCases } from '../support/failing-servers/http-cases.ts'
import { postgresCases } from '../support/failing-servers/postgres-cases.ts'
import { redisCases } from '../support/failing-servers/redis-cases.ts'

interface Ended {
  readonly code: number | string | null
  readonly stdout: string
  readonly stderr: string
}

/** Uses servers in a process of its own, which an error that nobody catches would end. */
function useAll(kind: string, ports: ReadonlyMap<string, number>): Promise<Ended> {
  const args = ['test/support/failing-servers/use-failing-server.ts', kind, JSON.stringify([...ports])]
  return new Promise((resolve) => {
    const options = { cwd: repository, timeout: 100_000, maxBuffer: 1 << 24 }
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? null), stdout, stderr })
    })
  })
}

test.each<[string, readonly FailingCase[]]>([
  ['postgres', postgresCases],
  ['redis', redisCases],
  ['http', httpCases],
])(
  'no error of a %s server that fails at any step is uncaught, and no call hangs',
  async (kind, cases) => {
    const servers = await failingServers(cases)
    onTestFinished(() => servers.close())
    const { code, stdout, stderr } = await useAll(kind, servers.ports)
    const lines = stdout.split('\n').filter((line) => line !== '')
    const done = lines.flatMap((line) => {
      const { name, outcomes } = JSON.parse(line) as { name?: string; outcomes?: readonly string[] }
      return name === undefined ? [] : [{ name, outcomes: outcomes ?? [] }]
    })
    expect({ code, stderr: stderr.slice(0, 3_000), last: lines.slice(-3) }).toMatchObject({
      code: 0,
      stderr: '',
    })
    expect(done.map(({ name }) => name).sort()).toEqual(cases.map(({ name }) => name).sort())
    expect(done.filter(({ outcomes }) => outcomes.includes('hung'))).toEqual([])
  },
  120_000,
)
