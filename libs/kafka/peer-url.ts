/** Which URLs members of a group may advertise. */
export interface PeerUrlRules {
  /**
   * Hosts that are allowed: names or addresses, each with or without a port. `*.` at the start matches subdomains of any depth, but not
   * the name itself. Empty: all.
   */
  readonly hosts: readonly string[]
  /** Whether only https: is allowed, because this process uses TLS itself. */
  readonly isTlsRequired: boolean
}

/** Says why a URL is not allowed; undefined if it is. Never throws. */
export type PeerUrlCheck = (url: string) => string | undefined

export const peerUrlLengthMax = 2_000

/** Scheme, host and path: no spaces, control characters, backslashes, user info, query or fragment. */
const plainUrl = /^https?:\/\/[^\s\\/\p{C}][^\s\\\p{C}]*$/iu

/**
 * Checks URLs that members advertise, before anything is sent there. Host names are compared without regard to case, and addresses as
 * the URL standard writes them: `127.1` is `127.0.0.1`.
 */
export function peerUrlCheck({ hosts, isTlsRequired }: PeerUrlRules): PeerUrlCheck {
  const allowed = hosts.map(hostPattern)
  return (text) => {
    const url = URL.parse(text)
    const problem = shapeProblem(text, url)
    if (problem !== undefined || url === null) return problem
    if (isTlsRequired && url.protocol !== 'https:') {
      return 'its URL begins with http:, and this service uses TLS'
    }
    const isAllowed = allowed.length === 0 || allowed.some((matches) => matches(url))
    return isAllowed ? undefined : `its URL is not allowed by ANNALS_PEER_HOSTS: ${url.host}`
  }
}

/** Checks only that a URL is one of HTTP, without anything that no service needs. */
export const anyPeerUrl: PeerUrlCheck = peerUrlCheck({ hosts: [], isTlsRequired: false })

function shapeProblem(text: string, url: URL | null): string | undefined {
  if (text.length > peerUrlLengthMax) return `its URL has ${text.length} characters`
  if (url === null) return 'its URL is malformed'
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return `its URL begins with ${url.protocol}`
  if (url.username !== '' || url.password !== '') return 'its URL holds credentials'
  if (/[?#]/.test(text)) return 'its URL has a query or a fragment'
  // What URL parsers would repair, and each in its own way.
  return plainUrl.test(text) ? undefined : 'its URL is malformed'
}

const defaultPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

/** @returns whether a URL is at the hosts of a pattern. A pattern that is no host matches nothing. */
function hostPattern(pattern: string): (url: URL) => boolean {
  const [, wildcard, name = '', port] = /^(\*\.)?(.*?)(?::(\d+))?$/.exec(pattern) ?? []
  const host = URL.parse(`http://${name}`)
  if (host === null || host.pathname !== '/' || host.port !== '') return () => false
  const { hostname } = host
  const matchesName = (other: string): boolean =>
    wildcard === undefined ? other === hostname : other.endsWith(`.${hostname}`)
  const matchesPort = ({ protocol, port: given }: URL): boolean =>
    port === undefined || Number(given || defaultPorts[protocol]) === Number(port)
  return (url) => matchesName(url.hostname) && matchesPort(url)
}
