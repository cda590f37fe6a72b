/** The view store does not answer now. A retry may succeed. */
export class ViewStoreUnavailableError extends Error {
  override readonly name = 'ViewStoreUnavailableError'
}
