import type { AccessChange, AccessEditor } from '#access-store'
import type { Config } from '#config'

import { recordDirect } from '../audit/audited.ts'
import type { NoticeListener } from '../job-control.ts'

/** A file of access can be changed while Kafka is away, so the command does not wait for it for long. */
const connectMsMax = 1_000
const changesNamedMax = 15

/** An editor whose edits go to the audit trail. A trail that cannot be written is a warning: the change is in force by then. */
export function recordedEdits(
  editor: AccessEditor,
  config: Config,
  operation: string,
  onNotice: NoticeListener,
): AccessEditor {
  const record = async (
    outcome: 'success' | 'failure',
    changes: readonly AccessChange[],
    reason?: string,
  ) => {
    const entry = { type: 'annals.access.changed', action: 'administer', resource: 'installation' } as const
    await recordDirect(
      config,
      { ...entry, operation, outcome, details: detailsOf(changes), ...(reason !== undefined && { reason }) },
      { onNotice },
      connectMsMax,
    )
  }
  return {
    read: () => editor.read(),
    edit: async (decide) => {
      let changes: readonly AccessChange[] = []
      try {
        const after = await editor.edit((current) => (changes = decide(current)))
        if (changes.length > 0) await record('success', changes)
        return after
      } catch (error) {
        if (changes.length > 0) await record('failure', changes, messageOf(error))
        throw error
      }
    },
  }
}

/** What was changed, by name: never a hash. `{ "key mfrggzdfmztwq2lk": "shop has service" }` */
const detailsOf = (changes: readonly AccessChange[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    changes.slice(0, changesNamedMax).map((change) => [`${change.kind} ${change.name}`, textOf(change)]),
  )

function textOf(change: AccessChange): string {
  if (change.value === null) return 'removed'
  if (change.kind === 'role') return 'put'
  const { name, roles } = change.value
  const ends = 'createdAt' in change.value ? endOf(change.value) : ''
  return `${name} has ${roles.join(', ') || 'no roles'}${ends}`
}

function endOf({
  expiresAt,
  revokedAt,
}: {
  readonly expiresAt?: string
  readonly revokedAt?: string
}): string {
  if (revokedAt !== undefined) return `, revoked at ${revokedAt}`
  return expiresAt === undefined ? '' : `, until ${expiresAt}`
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
