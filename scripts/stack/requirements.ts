import { spawnSync } from 'node:child_process'
import { installByApt } from './apt.ts'
import { isDownloaded } from './distributions.ts'
import { javaVersionText } from './java.ts'
import type { Report } from './server.ts'
import { StackError } from './stack-error.ts'

const oldestJava = 17
const oldestRedis = 7

/** Packages to install for each program. */
const packages = {
  java: { debian: 'openjdk-17-jdk-headless', macos: 'openjdk@17' },
  maven: { debian: 'maven', macos: 'maven' },
  redis: { debian: 'redis-server', macos: 'redis' },
  spin: { debian: 'spin', macos: 'spin' },
  gcc: { debian: 'gcc libc6-dev', macos: 'gcc' },
} as const

/**
 * What prevents the native stack from running here: one sentence each, with what to install. Empty when nothing is
 * missing.
 */
export function missingForNative(): string[] {
  const missing: string[] = []
  const java = javaVersion()
  if (java === undefined || java < oldestJava) {
    const found = java === undefined ? 'none found' : `found ${java}`
    missing.push(`Kafka needs Java ${oldestJava} or newer on the PATH (${found}). ${howTo('java')}`)
  }
  if (!isDownloaded() && versionOf('mvn', ['--version'], /Maven (\d+)/) === undefined)
    missing.push(
      `Kafka and the schema registry are downloaded with Maven, which is missing. ${howTo('maven')}`,
    )
  return missing
}

/**
 * Provides what the native stack needs: checks Java and Maven, and installs Redis with apt if it is missing.
 * @throws StackError that says what to install, when a program is missing that cannot be installed here
 */
export function provideNativeTools(report: Report): void {
  const missing = missingForNative()
  if (redisVersion() === undefined && missing.length === 0) installByApt(packages.redis.debian, report)
  const redis = redisVersion()
  if (redis === undefined || redis < oldestRedis) {
    const found = redis === undefined ? 'none found' : `found ${redis}`
    missing.push(`The index needs Redis ${oldestRedis} or newer (${found}). ${howTo('redis')}`)
  }
  if (missing.length > 0) throw new StackError(missing.join('\n'))
}

/**
 * Provides Spin, which checks the formal model, and the C compiler that it needs. Installs them with apt if they are
 * missing.
 * @throws StackError that says what to install, when that fails
 */
export function provideModelTools(report: Report): void {
  for (const [tool, version] of [
    ['spin', '-V'],
    ['gcc', '--version'],
  ] as const) {
    const isInstalled = () => spawnSync(tool, [version], { timeout: 20_000 }).status === 0
    if (isInstalled()) continue
    for (const name of packages[tool].debian.split(' ')) installByApt(name, report)
    if (!isInstalled())
      throw new StackError(`The formal model is checked with ${tool}, which is missing. ${howTo(tool)}`)
  }
}

function howTo(what: keyof typeof packages): string {
  const { debian, macos } = packages[what]
  return `Install it: Debian and Ubuntu: apt-get install ${debian}; macOS: brew install ${macos}.`
}

function javaVersion(): number | undefined {
  const found = /version "(\d+)/.exec(javaVersionText())?.[1]
  return found === undefined ? undefined : Number(found)
}

function redisVersion(): number | undefined {
  return versionOf('redis-server', ['--version'], /v=(\d+)/)
}

function versionOf(command: string, args: readonly string[], pattern: RegExp): number | undefined {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 })
  const found = pattern.exec(`${stdout}${stderr}`)?.[1]
  return found === undefined ? undefined : Number(found)
}
