import { execFile } from 'node:child_process'

import { expect, onTestFinished } from 'vitest'

import { repository } from '../../../scripts/stack/index.ts'
import type { FailingServers } from './failing-server.ts'

interface Ended {
  readonly code: number | string | null
  readonly stdout: string
  readonly stderr: string
}

/** Uses servers in a separate process, which an uncaught error would end. */
function useAll(kind: string, ports: FailingServers['ports'], names: readonly string[]): Promise<Ended> {
  const args = [
    '--disable-warning=TimeoutNegativeWarning',
    'test/support/failing-servers/use-failing-server.ts',
    kind,
    JSON.stringify([...ports]),
    ...names,
  ]
  return new Promise((resolve) => {
    const options = { cwd: repository, timeout: 280_000, maxBuffer: 1 << 24 }
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? null), stdout, stderr })
    })
  })
}

/** Uses all servers, and expects that the process survives and every call settles. */
export async function expectNothingUncaught(
  kind: string,
  servers: FailingServers,
  ...names: readonly string[]
): Promise<void> {
  onTestFinished(() => servers.close())
  const { code, stdout, stderr } = await useAll(kind, servers.ports, names)
  const lines = stdout.split('\n').filter((line) => line !== '')
  const done = lines.flatMap((line) => {
    const { name, outcomes } = JSON.parse(line) as { name?: string; outcomes?: readonly string[] }
    return name === undefined ? [] : [{ name, outcomes: outcomes ?? [] }]
  })
  expect({ code, stderr: stderr.slice(0, 3_000), last: lines.slice(-3) }).toMatchObject({
    code: 0,
    stderr: '',
  })
  expect(done.map(({ name }) => name).sort()).toEqual([...servers.ports.keys()].sort())
  expect(done.filter(({ outcomes }) => outcomes.includes('hung'))).toEqual([])
}
