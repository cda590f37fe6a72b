/** Pages that test/e2e follows from their first to their last block on a separate stack. */
export const walkedPages: readonly string[] = [
  'README.md',
  'docs/getting-started.md',
  'docs/guide/projections.md',
]
