import { type Config, ConfigError } from '#config'
import { type HttpServerOptions, TlsFileError } from '#http'

/** The TLS option of a server; nothing without a certificate. */
export function tlsSettings({ tls }: Pick<Config, 'tls'>): Pick<HttpServerOptions, 'tls'> {
  const { certFile, keyFile, clientCaFile } = tls
  if (certFile === undefined || keyFile === undefined) return {}
  return { tls: { certFile, keyFile, ...(clientCaFile !== undefined && { clientCaFile }) } }
}

const variables = {
  certFile: 'ANNALS_TLS_CERT_FILE',
  keyFile: 'ANNALS_TLS_KEY_FILE',
  clientCaFile: 'ANNALS_TLS_CLIENT_CA_FILE',
} as const

/** Names the setting of a TLS file that cannot be used. @throws always: ConfigError, or the error itself */
export function rethrowTlsProblem(error: unknown): never {
  if (!(error instanceof TlsFileError)) throw error
  const { file, path, problem } = error
  throw new ConfigError([{ key: variables[file], value: path, problem }])
}
