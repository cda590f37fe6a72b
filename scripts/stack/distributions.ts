import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { distFolder } from './folders.ts'
import { givenUp } from './give-up.ts'
import { isAlive } from './is-alive.ts'
import { makePrivateFolder } from './private-files.ts'
import { runCommand } from './run-command.ts'
import type { Report } from './server.ts'
import { type KafkaVersion, versions } from './versions.ts'

const downloadMsMax = 900_000
const incoming = '.incoming-'

/** The folder of Kafka's jars, downloaded with Maven the first time. */
export function kafkaDistribution(version: KafkaVersion, report: Report): Promise<string> {
  const artifacts = [
    `org.apache.kafka:kafka_2.13:${version}`,
    `org.apache.kafka:kafka-tools:${version}`,
    `org.apache.logging.log4j:log4j-slf4j-impl:${versions.log4j}`,
    // Kafka 3 still uses classes of log4j 1, which its package provides.
    ...(version.startsWith('3.') ? [`ch.qos.reload4j:reload4j:${versions.reload4j}`] : []),
  ]
  return distribution(`kafka-${version}`, 'Maven', report, async (folder) => {
    const pom = join(folder, 'pom.xml')
    writeFileSync(pom, pomOf(artifacts))
    await maven('copy-dependencies', '-f', pom, `-DoutputDirectory=${folder}`, '-DincludeScope=runtime')
  })
}

/** The folder of the unpacked registry, downloaded with Maven the first time. */
export function registryDistribution(report: Report): Promise<string> {
  const name = `apicurio-registry-app-${versions.registry}`
  return distribution(name, 'Maven', report, async (folder) => {
    const artifact = `io.apicurio:apicurio-registry-app:${versions.registry}:tar.gz:all`
    await maven('copy', '-f', parentless(folder), `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`)
    const archive = join(folder, `${name}-all.tar.gz`)
    await runCommand('tar', ['-xzf', archive, '-C', folder], { timeoutMs: downloadMsMax, signal: givenUp })
    rmSync(archive)
  })
}

/** The folder of a Python package without its dependencies, for PYTHONPATH; downloaded with pip the first time. */
export function pythonDistribution(name: string, version: string, report: Report): Promise<string> {
  return distribution(`${name}-${version}`, 'pip', report, async (folder) => {
    const how = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:']
    await runCommand('python3', ['-m', 'pip', 'install', ...how, '--target', folder, `${name}==${version}`], {
      timeoutMs: downloadMsMax,
      signal: givenUp,
    })
  })
}

/** Whether the stack can run without any download. */
export function isDownloaded(): boolean {
  return [`kafka-${versions.kafka}`, `apicurio-registry-app-${versions.registry}`].every((name) =>
    existsSync(join(distFolder, name)),
  )
}

/**
 * A folder gets its name only when it is complete: it is filled under another name and then renamed. Of two concurrent
 * downloads, the second one uses the result of the first.
 */
async function distribution(
  name: string,
  client: string,
  report: Report,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(distFolder, name)
  if (existsSync(folder)) return folder
  report(`Downloading ${name} with ${client}; this happens once and takes a minute or two`)
  removeAbandoned()
  const temporary = join(distFolder, `${incoming}${process.pid}-${name}`)
  mkdirSync(temporary, { recursive: true })
  try {
    await fill(temporary)
    if (!existsSync(folder)) renameSync(temporary, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
  return folder
}

/** Removes incomplete downloads whose process has ended. */
function removeAbandoned(): void {
  makePrivateFolder(distFolder)
  for (const entry of readdirSync(distFolder)) {
    if (!entry.startsWith(incoming)) continue
    const pid = Number(entry.slice(incoming.length).split('-', 1)[0])
    if (!isAlive(pid)) rmSync(join(distFolder, entry), { recursive: true, force: true })
  }
}

async function maven(goal: string, ...args: readonly string[]): Promise<void> {
  const plugin = `org.apache.maven.plugins:maven-dependency-plugin:${versions.mavenDependencyPlugin}:${goal}`
  await runCommand('mvn', ['--batch-mode', '--quiet', plugin, ...args], {
    timeoutMs: downloadMsMax,
    signal: givenUp,
  })
}

/** Maven requires a project even where none is needed; otherwise it would use a pom in the current folder. */
function parentless(folder: string): string {
  const pom = join(folder, 'pom.xml')
  writeFileSync(pom, pomOf([]))
  return pom
}

function pomOf(artifacts: readonly string[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [groupId, artifactId, version] = artifact.split(':')
    return `    <dependency><groupId>${String(groupId)}</groupId><artifactId>${String(artifactId)}</artifactId><version>${String(version)}</version></dependency>`
  })
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>annals</groupId><artifactId>download</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`
}
