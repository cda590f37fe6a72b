import { createRequire } from 'node:module'

/** A private part of ioredis, which receives the server's replies. */
interface Replies {
  dispatch(take: () => void): void
  returnFatalError(error: Error): void
}

// Node and the test bundler disagree about the default export of such a module; `require` is unambiguous.
const { default: dataHandler } = createRequire(import.meta.url)('ioredis/built/DataHandler.js') as {
  readonly default: { readonly prototype: Replies }
}

/**
 * Makes a reply that ioredis cannot handle, such as an unsolicited one, end the connection: pending commands fail, and it reconnects.
 * Without this, ioredis throws from a separate tick, where no caller can catch the error.
 */
export function guardReplies(): void {
  dataHandler.prototype.dispatch = function (this: Replies, take: () => void): void {
    try {
      take()
    } catch (error) {
      this.returnFatalError(error instanceof Error ? error : new Error(String(error)))
    }
  }
}
