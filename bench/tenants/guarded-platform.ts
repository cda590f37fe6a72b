import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { AccessDocument } from '#access'
import { newApiKey } from '#authentication'

import { startBenchStack } from '../bench-stack.ts'
import type { Closing } from '../closing.ts'
import { startService } from '../contenders/service-process.ts'

export interface GuardedPlatform {
  readonly url: string
  /** API keys of three tenants. The limit holds for the first two. */
  readonly keys: Readonly<Record<'steady' | 'limited' | 'unlimited', string>>
}

/** Starts a platform with access control, in a process of its own. @param limitPerSecond requests of each principal */
export async function startGuardedPlatform(
  limitPerSecond: number,
  say: (line: string) => void,
  closing: Closing,
): Promise<GuardedPlatform> {
  const stack = await startBenchStack(say)
  closing(() => stack.close())
  const folder = mkdtempSync(join(tmpdir(), 'annals-tenants-'))
  closing(() => rmSync(folder, { recursive: true, force: true }))
  const steady = newApiKey({ name: 'steady', roles: ['service'] })
  const limited = newApiKey({ name: 'flood', roles: ['service'] })
  const unlimited = newApiKey({ name: 'flood-unlimited', roles: ['service', 'unlimited'] })
  const document: AccessDocument = {
    roles: { unlimited: { rules: [], limits: { requestsPerSecond: 1_000_000 } } },
    keys: [steady.entry, limited.entry, unlimited.entry],
    certificates: [],
  }
  const file = join(folder, 'access.json')
  writeFileSync(file, JSON.stringify(document), { mode: 0o600 })
  const env = {
    ...stack.envOf('bench-http'),
    ANNALS_ACCESS: 'file',
    ANNALS_ACCESS_FILE: file,
    ANNALS_PEER_SECRET: randomBytes(32).toString('hex'),
    ANNALS_LIMIT_REQUESTS: String(limitPerSecond),
  }
  const headers = { authorization: `Bearer ${steady.key}` }
  const platform = await startService('platform', env, { headers })
  closing(() => platform.stop())
  await checkIsGuarded(platform.url)
  return {
    url: platform.url,
    keys: { steady: steady.key, limited: limited.key, unlimited: unlimited.key },
  }
}

/** Without access control all tenants would be one. */
async function checkIsGuarded(url: string): Promise<void> {
  const { status } = await fetch(`${url}/owners`)
  if (status !== 401) throw new Error(`${url}/owners answered ${status} without a key: expected 401`)
}
