import { type Caller, type Resource, resourceText } from '#access'

import type { AuditEntry, AuditPrincipal, AuditType } from './audit-entry.ts'

/** What a guard learns about a rejected request: `Denial` of libs/http. */
interface DeniedRequest {
  readonly code: string
  readonly reason: string
  readonly action?: string
  readonly resource?: string
  readonly caller?: Pick<Caller, 'principal'>
  readonly requestId: string
  readonly method: string
  readonly path: string
  readonly remoteAddress: string
}

/** What an operator did through the HTTP API: `AdministrativeAct` of libs/http. */
interface OperatorRequest {
  readonly action: string
  readonly resource: Resource
  readonly caller: Pick<Caller, 'principal'>
  readonly outcome: 'success' | 'failure'
  readonly requestId: string
  /** Method and route: `POST /projections/:name/rebuild`. */
  readonly operation: string
}

/** The type of entry for each operation of the HTTP API. */
export const typesOfOperations: Readonly<Record<string, AuditType>> = {
  'POST /projections/:name/rebuild': 'annals.projection.rebuild-started',
  'POST /projections/:name/resume': 'annals.projection.resumed',
  'DELETE /projections/:name/generations/:id': 'annals.projection.generation-discarded',
  'POST /projections/:name/dead-letters/retry': 'annals.dead-letters.retried',
  'POST /projections/:name/dead-letters/drop': 'annals.dead-letters.dropped',
  'POST /snapshots/:type/rebuild': 'annals.snapshots.rebuild-started',
  'POST /snapshots/:type/cleanup': 'annals.snapshots.cleaned-up',
}

const principalOf = ({ name, kind, credentialId }: Caller['principal']): AuditPrincipal => ({
  ...{ name, kind },
  ...(credentialId !== undefined && { credentialId }),
})

/** The entry of a rejected request. The query of its path is left out. */
export function entryOfDenial(denial: DeniedRequest): AuditEntry {
  const { code, reason, action, resource, caller, requestId, method, path, remoteAddress } = denial
  return {
    ...{ type: 'annals.access.denied', outcome: 'denied', code, reason, requestId, remoteAddress },
    operation: `${method} ${path.split('?', 1)[0] ?? ''}`,
    ...(action !== undefined && { action }),
    ...(resource !== undefined && { resource }),
    ...(caller && { principal: principalOf(caller.principal) }),
  }
}

/** The entry of an operation through the HTTP API. */
export function entryOfAct(act: OperatorRequest): AuditEntry {
  const { action, resource, caller, outcome, requestId, operation } = act
  return {
    type: Object.hasOwn(typesOfOperations, operation)
      ? (typesOfOperations[operation] as AuditType)
      : 'annals.operation.performed',
    ...{ outcome, action, resource: resourceText(resource), operation, requestId },
    principal: principalOf(caller.principal),
  }
}
