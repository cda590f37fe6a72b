import type { StoredView } from '../view-store/views.ts'

/** A view with the figures it is sorted by. */
export interface MemoryView extends StoredView {
  readonly indexes: ReadonlyMap<string, number>
}

/** A view as readers get it. */
export const storedView = ({ json, revision, changedAtMs, expiresAtMs }: MemoryView): StoredView => ({
  json,
  revision,
  changedAtMs,
  ...(expiresAtMs !== undefined && { expiresAtMs }),
})
