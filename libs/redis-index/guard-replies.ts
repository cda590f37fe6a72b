import dataHandler from 'ioredis/built/DataHandler.js'

/** What ioredis has private: where it takes the server's replies. */
interface Replies {
  dispatch(take: () => void): void
  returnFatalError(error: Error): void
}

/**
 * Lets a reply that ioredis cannot take, as one that nobody asked for, end the connection: what is under way fails, and it connects again.
 * By itself it throws from a tick of its own, where nobody can catch it.
 */
export function guardReplies(): void {
  const replies = dataHandler.default.prototype as unknown as Replies
  replies.dispatch = function (this: Replies, take: () => void): void {
    try {
      take()
    } catch (error) {
      this.returnFatalError(error instanceof Error ? error : new Error(String(error)))
    }
  }
}
