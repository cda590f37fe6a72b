import { join } from 'node:path'
import { pythonDistribution } from './distributions.ts'
import { makePrivateFolder } from './private-files.ts'
import { ask } from './probes.ts'
import { type Report, type Server, startServer } from './server.ts'
import { versions } from './versions.ts'

/** A running UmaDB server, a peer of the append bench. */
export interface UmaDb extends Server {
  /** `http://host:port` for gRPC. */
  readonly url: string
}

interface UmaDbOptions {
  readonly port: number
  readonly folder: string
  readonly logFile: string
  readonly report: Report
}

const start = "import sys, umadb; umadb.run_server_from_args(['umadb', *sys.argv[1:]])"

/** Starts UmaDB with its default settings: it syncs every commit to disk. Its server is a part of its Python package. */
export async function startUmaDb({ port, folder, logFile, report }: UmaDbOptions): Promise<UmaDb> {
  const packages = await pythonDistribution('umadb', versions.umadb, report)
  makePrivateFolder(folder)
  const address = `127.0.0.1:${port}`
  const server = await startServer({
    name: 'UmaDB',
    command: 'python3',
    args: ['-c', start, '--listen', address, '--db-path', join(folder, 'uma.db')],
    cwd: folder,
    env: { PYTHONPATH: packages },
    logFile,
    report,
    stopSignal: 'SIGINT',
    healthy: async () => {
      await ask({ host: '127.0.0.1', port })
      return true
    },
  })
  return { ...server, url: `http://${address}` }
}
