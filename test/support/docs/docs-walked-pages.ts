/** Pages that are followed from their first to their last block on a stack of their own, in test/e2e. */
export const walkedPages: readonly string[] = [
  'README.md',
  'docs/getting-started.md',
  'docs/guide/projections.md',
]
