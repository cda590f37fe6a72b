import type { AccessDocument, CertificateEntry, KeyEntry, Role } from '#access'

/** One entry to put or to remove. A removal has the value null. The name is that of the role, the id of the key, or the common name. */
export type AccessChange =
  | { readonly kind: 'role'; readonly name: string; readonly value: Role | null }
  | { readonly kind: 'key'; readonly name: string; readonly value: KeyEntry | null }
  | { readonly kind: 'certificate'; readonly name: string; readonly value: CertificateEntry | null }

/** Changes who may do what. Edits of all processes happen one after the other, so none is lost. */
export interface AccessEditor {
  /** What is in the store now; empty if there is none yet. @throws AccessStoreError, LogError */
  read(): Promise<AccessDocument>
  /**
   * Changes the store: all of these changes, or none. Creates it if there is none.
   * @param decide gets the state that the changes apply to. It throws to refuse. It is called again if another editor came first.
   * @returns the state after the edit
   * @throws InvalidInputError for a result with an unknown role, a cycle or a malformed entry; AccessStoreError; LogError; what `decide` throws
   */
  edit(decide: (current: AccessDocument) => readonly AccessChange[]): Promise<AccessDocument>
}
