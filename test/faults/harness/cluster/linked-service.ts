import { freePorts } from '../../../../scripts/stack/index.ts'
import { Link } from './link.ts'
import { addressesOf, openWaysOut, type Pair, type WaysOut } from './links.ts'
import { type PostOptions, type ServiceKind, ServicePost } from './service-post.ts'
import type { Servers } from './servers.ts'
import type { Traits } from './traits.ts'

/** A service and all its links. */
export interface LinkedService {
  readonly post: ServicePost
  /** The link for clients. */
  readonly front: Link
  /** The address that it advertises: used by other services, and by clients that go straight to an owner. */
  readonly peers: Link
  readonly out: WaysOut
}

export const urlOf = ({ port }: Link): string => `http://127.0.0.1:${port}`

interface LinkedServiceOptions extends Pick<PostOptions, 'name' | 'env' | 'nodeArgs' | 'logFolder'> {
  readonly traits: Traits
}

/** Creates the links; nothing runs yet. */
export async function linkService(
  kind: ServiceKind,
  servers: Servers,
  { name, env, nodeArgs, logFolder, traits }: LinkedServiceOptions,
): Promise<LinkedService> {
  const out = await openWaysOut(name, servers)
  const links: Link[] = []
  const post = await ServicePost.at(async (port) => {
    const own = [await Link.open(`clients→${name}`, port), await peersLink(kind, name, port)] as const
    links.push(...own)
    const addresses = { ...addressesOf(out, servers, traits), ANNALS_ADVERTISED_URL: urlOf(own[1]) }
    return { name, kind, nodeArgs, logFolder, env: { ...env, ...addresses } }
  })
  const [front, peers] = links as [Link, Link]
  return { post, front, peers, out }
}

/** Writers take over from a writer whose port refuses connections, so the link to it does the same. */
async function peersLink(kind: ServiceKind, name: string, target: number): Promise<Link> {
  if (kind !== 'writer') return Link.open(`peers→${name}`, target)
  const [port = 0] = await freePorts(1)
  return Link.refusing(`peers→${name}`, target, port)
}

/** All links of a service, by the parts that they connect. Those to the brokers are grouped. */
export function linksOf({ post, front, peers, out }: LinkedService): readonly (readonly [Pair, Link[]])[] {
  const common = [['service-registry', [out.registry]]] as const satisfies readonly [Pair, Link[]][]
  switch (post.kind) {
    case 'writer':
      return [
        ['clients-writer', [front]],
        ['peers-writer', [peers]],
        ['writer-kafka', [...out.kafka]],
        ['writer-redis', [out.redis]],
        ...common,
      ]
    case 'projector':
      return [
        ['clients-projector', [front]],
        ['consumer-kafka', [...out.kafka]],
        ['consumer-redis', [out.redis]],
        ['consumer-postgres', [out.postgres]],
        ...common,
      ]
    case 'snapshotter':
      return [['consumer-kafka', [...out.kafka]], ['consumer-redis', [out.redis]], ...common]
  }
}

export async function closeLinks({ front, peers, out }: LinkedService): Promise<void> {
  await Promise.all(
    [front, peers, out.redis, out.postgres, out.registry, ...out.kafka].map((link) => link.close()),
  )
}
