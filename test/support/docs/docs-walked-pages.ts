/** Pages that test/e2e follows from their first to their last block on a separate stack. */
export const walkedPages: readonly string[] = [
  'README.md',
  'docs/getting-started.md',
  'docs/guide/projections.md',
]

/** The page whose commands test/e2e/secure-page.test.ts runs in one shell. */
export const securePage = 'docs/guide/secure-in-fifteen-minutes.md'
