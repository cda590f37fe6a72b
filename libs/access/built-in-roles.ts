import type { Role } from './access-document.ts'
import { actions } from './action.ts'

/** Roles that exist in every installation. They cannot be redefined. */
export const builtInRoles = {
  admin: { description: 'Everything.', rules: [{ actions, on: ['*'] }] },
  operator: {
    description: 'Rebuilds, snapshots, dead letters and metrics, of everything.',
    rules: [{ actions: ['operate'], on: ['*'] }],
  },
  service: {
    description: 'Appends and reads all events, and reads all projections.',
    rules: [
      { actions: ['append', 'read', 'subscribe', 'state'], on: ['*.*'] },
      { actions: ['view'], on: ['projection:*'] },
    ],
  },
  reader: {
    description: 'Reads all events and all projections.',
    rules: [
      { actions: ['read', 'subscribe', 'state'], on: ['*.*'] },
      { actions: ['view'], on: ['projection:*'] },
    ],
  },
} as const satisfies Readonly<Record<string, Role>>
