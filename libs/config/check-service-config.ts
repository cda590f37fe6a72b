import { ConfigError } from './config-error.ts'
import type { Config } from './load-config.ts'

/**
 * Checks what services need and commands do not.
 * @throws ConfigError
 */
export function checkServiceConfig({ access }: Config): void {
  const isOpen = access.mode === undefined || access.mode === 'open'
  if (isOpen || access.peerSecret !== undefined) return
  throw new ConfigError([
    {
      key: 'ANNALS_PEER_SECRET',
      problem: `expected a secret that all services of the installation share, because ANNALS_ACCESS is ${access.mode}; make one with: openssl rand -hex 32`,
    },
  ])
}
