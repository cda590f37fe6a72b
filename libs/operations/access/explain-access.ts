import {
  type Action,
  actions,
  builtInRoles,
  type Decision,
  type Resource,
  resourceText,
  RightsTable,
  streamResource,
} from '#access'
import type { AccessEditor } from '#access-store'
import { InvalidInputError, parseAggregateType, quote, suggestion, unknownName } from '#domain'

export interface Explanation extends Decision {
  readonly action: Action
  /** As `resourceText` writes it. */
  readonly resource: string
  /** For all streams of a type: why some of them are allowed, although not all are. */
  readonly some?: string
}

/** Decides what a service would decide. @throws InvalidInputError for an unknown role or action, and a malformed resource */
export async function explainAccess(
  editor: Pick<AccessEditor, 'read'>,
  {
    roles,
    action,
    resource,
  }: { readonly roles: readonly string[]; readonly action: string; readonly resource: string },
): Promise<Explanation> {
  const known = actionOf(action)
  const asked = parseResource(resource)
  const access = await editor.read()
  const unknown = unknownName('role', roles, [...Object.keys(builtInRoles), ...Object.keys(access.roles)])
  if (unknown !== undefined) throw new InvalidInputError('role', unknown)
  const rights = new RightsTable(access.roles).of(roles, roles.join('+'))
  const decision = rights.decide(known, asked)
  const explained = { ...decision, action: known, resource: resourceText(asked) }
  if (asked.kind !== 'type' || decision.isAllowed) return explained
  const some = rights.decide(known, { kind: 'category', type: asked.type })
  return some.isAllowed ? { ...explained, some: some.reason } : explained
}

function actionOf(text: string): Action {
  const action = actions.find((each) => each === text)
  if (action !== undefined) return action
  throw new InvalidInputError('action', `there is no action ${quote(text)}${suggestion(text, actions)}`)
}

const forms = 'order.42, order.*, projection:loans, user:ada or installation'

/** A resource as requests name it. @throws InvalidInputError */
function parseResource(text: string): Resource {
  if (text === 'installation') return { kind: 'installation' }
  const [, kind, name] = /^(projection|user):([^*\s]+)$/.exec(text) ?? []
  if (kind !== undefined && name !== undefined) return { kind: kind as 'projection' | 'user', name }
  const stream = streamResource(text)
  if (stream.kind === 'stream' && stream.type !== '' && stream.type !== '*') {
    if (stream.id === '*') return { kind: 'type', type: parseAggregateType(stream.type) }
    if (stream.id !== '' && !stream.id.includes('*')) return stream
  }
  throw new InvalidInputError('resource', `${quote(text)} is not a resource: expected one such as ${forms}`)
}
