import type { Config } from '#config'
import { peerUrlCheck, type PeerUrlCheck } from '#kafka'

/** Which URLs of other services this one uses: hosts of ANNALS_PEER_HOSTS, and no http: if it is itself reached by https:. */
export const peerUrls = ({ access, http }: Pick<Config, 'access' | 'http'>): PeerUrlCheck =>
  peerUrlCheck({ hosts: access.peerHosts, isTlsRequired: http.advertisedUrl.startsWith('https:') })
