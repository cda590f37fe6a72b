import { createRequire } from 'node:module'

/** What ioredis has private: where it takes the server's replies. */
interface Replies {
  dispatch(take: () => void): void
  returnFatalError(error: Error): void
}

// Node and bundlers of tests do not agree what the default of such a module is; `require` has one meaning.
const { default: dataHandler } = createRequire(import.meta.url)('ioredis/built/DataHandler.js') as {
  readonly default: { readonly prototype: Replies }
}

/**
 * Lets a reply that ioredis cannot take, as one that nobody asked for, end the connection: what is under way fails, and it connects again.
 * By itself it throws from a tick of its own, where nobody can catch it.
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
