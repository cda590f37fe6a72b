import { join } from 'node:path'
import { classDataOptions, keepClassData } from './class-data.ts'
import { registryDistribution } from './distributions.ts'
import { quickStart } from './kafka.ts'
import { makePrivate, makePrivateFolder, writePrivateFile } from './private-files.ts'
import { ask, httpOk } from './probes.ts'
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
  /** Kafka client properties with which it logs in there, such as `sasl.jaas.config`. */
  readonly kafkaClient?: Readonly<Record<string, string>>
  /** PEM files; with them, it listens with HTTPS only. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  readonly folder: string
  readonly logFile: string
  readonly report: Report
}

/** Starts Apicurio with its schemas in Kafka (kafkasql), so that they survive a loss of the registry. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  const { port, kafkaBrokers, kafkaClient = {}, tls, folder, logFile, report } = options
  const distribution = await registryDistribution(report)
  const url = `http${tls === undefined ? '' : 's'}://127.0.0.1:${port}/apis/ccompat/v7`
  makePrivateFolder(folder)
  const secretsFile = join(folder, 'kafka-login.properties')
  writePrivateFile(secretsFile, secretSettings(kafkaClient))
  const settings = {
    'quarkus.http.host': '127.0.0.1',
    ...(tls === undefined
      ? { 'quarkus.http.port': port }
      : {
          'quarkus.http.insecure-requests': 'disabled',
          'quarkus.http.ssl-port': port,
          'quarkus.http.ssl.certificate.files': tls.certFile,
          'quarkus.http.ssl.certificate.key-files': tls.keyFile,
        }),
    // Every user can list the arguments of processes.
    'smallrye.config.locations': secretsFile,
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
    healthy: () => (tls === undefined ? httpOk(`${url}/subjects`) : accepts(port)),
  })
  await keepClassData(distribution, server, { cwd: folder, report })
  // Its class cache creates a world-readable folder despite the umask.
  makePrivate(folder)
  return { ...server, url }
}

function secretSettings(kafkaClient: Readonly<Record<string, string>>): string {
  return Object.entries(kafkaClient)
    .map(([key, value]) => `apicurio.kafka.common.${key}=${value}\n`)
    .join('')
}

/** It listens only once it serves. */
async function accepts(port: number): Promise<boolean> {
  await ask({ host: '127.0.0.1', port })
  return true
}
