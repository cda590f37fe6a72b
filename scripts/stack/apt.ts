import { spawnSync } from 'node:child_process'
import type { Report } from './server.ts'

const aptMsMax = 300_000

/** Tries to install a Debian package, as root or with sudo. The caller checks whether it worked. */
export function installByApt(name: string, report: Report): void {
  if (spawnSync('apt-get', ['--version']).status !== 0) return
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', ...(process.stdin.isTTY ? [] : ['-n'])]
  report(`Installing ${name} with apt`)
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', name]]) {
    const [command = 'apt-get', ...rest] = [
      ...asRoot,
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      ...args,
    ]
    const { status, stdout, stderr } = spawnSync(command, rest, { encoding: 'utf8', timeout: aptMsMax })
    if (status !== 0) report(`apt-get ${args.join(' ')} failed: ${`${stdout}${stderr}`.trim().slice(-500)}`)
  }
}
