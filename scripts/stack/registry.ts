import { join } from 'node:path'
import { classDataOptions, keepClassData } from './class-data.ts'
import { registryDistribution } from './distributions.ts'
import { quickStart } from './kafka.ts'
import { makePrivate, makePrivateFolder } from './private-files.ts'
import { httpOk } from './probes.ts'
import { type Report, type Server, startServer } from './server.ts'
import { versions } from './versions.ts'

// Without a snapshot it reads its whole journal, which is correct too, but slower with many schemas.
const snapshotWaitMs = 1000

/** A running schema registry. */
export interface Registry extends Server {
  /** URL of its Confluent-compatible API. */
  readonly url: string
}

export interface RegistryOptions {
  readonly port: number
  /** `host:port`, comma-separated: the Kafka that stores the schemas. It may still be starting. */
  readonly kafkaBrokers: string
  readonly folder: string
  readonly logFile: string
  readonly report: Report
}

/** Starts Apicurio with its schemas in Kafka (kafkasql), so that they survive a loss of the registry. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  const { port, kafkaBrokers, folder, logFile, report } = options
  const distribution = await registryDistribution(report)
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  makePrivateFolder(folder)
  const settings = {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': port,
    'apicurio.storage.kind': 'kafkasql',
    'apicurio.kafkasql.bootstrap.servers': kafkaBrokers,
    'apicurio.storage.snapshot.location': folder,
    // It waits this long (default 5 s) for its own snapshot, and a new registry has none.
    'apicurio.kafkasql.consumer.poll.timeout': snapshotWaitMs,
    'java.io.tmpdir': folder,
  }
  const server = await startServer({
    name: 'Schema registry',
    command: 'java',
    args: [
      ...['-Xmx256m', '-XX:+UseSerialGC', quickStart, '-XX:+ExitOnOutOfMemoryError'],
      ...classDataOptions(distribution),
      ...Object.entries(settings).map(([key, value]) => `-D${key}=${value}`),
      ...['-jar', join(distribution, `apicurio-registry-app-${versions.registry}-runner.jar`)],
    ],
    cwd: folder,
    logFile,
    report,
    healthy: () => httpOk(`${url}/subjects`),
  })
  await keepClassData(distribution, server, { cwd: folder, report })
  // Its class cache creates a world-readable folder despite the umask.
  makePrivate(folder)
  return { ...server, url }
}
