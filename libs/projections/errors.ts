/** The store of views does not answer now. Trying again may help. */
export class ViewStoreUnavailableError extends Error {
  override readonly name = 'ViewStoreUnavailableError'
}
