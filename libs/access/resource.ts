/** What an action is done with. Rules name resources by patterns. */
export type Resource =
  /** One stream: `order.42`. The parts are as in the request, and may be malformed. */
  | { readonly kind: 'stream'; readonly type: string; readonly id: string }
  /** Those streams of an aggregate type that the principal may use. */
  | { readonly kind: 'category'; readonly type: string }
  /** All streams of an aggregate type: `order.*`. */
  | { readonly kind: 'type'; readonly type: string }
  /** A projection: `projection:loans`. */
  | { readonly kind: 'projection'; readonly name: string }
  /** A user in whose name another principal appends: `user:ada`. */
  | { readonly kind: 'user'; readonly name: string }
  /** Annals as a whole: `installation`. */
  | { readonly kind: 'installation' }

/** The resource of a stream id in a request. An id without a dot is a stream without a type, which no pattern but `*` matches. */
export function streamResource(streamId: string): Resource {
  const dot = streamId.indexOf('.')
  return dot < 0
    ? { kind: 'stream', type: '', id: streamId }
    : { kind: 'stream', type: streamId.slice(0, dot), id: streamId.slice(dot + 1) }
}

/** A resource as rules, errors and the audit trail write it. */
export function resourceText(resource: Resource): string {
  switch (resource.kind) {
    case 'stream':
      return `${resource.type}.${resource.id}`
    case 'category':
    case 'type':
      return `${resource.type}.*`
    case 'projection':
    case 'user':
      return `${resource.kind}:${resource.name}`
    case 'installation':
      return 'installation'
  }
}
