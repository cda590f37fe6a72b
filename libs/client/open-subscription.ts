import type { HttpTransport, StreamCall } from './http-transport.ts'
import { readServerSentEvents, type ReceivedEvent } from './server-sent-events.ts'

/** A request for server-sent events. */
export interface SubscriptionCall extends Omit<StreamCall, 'headers'> {
  /** Start after this cursor. It takes precedence over a cursor in the path. */
  readonly cursor: string | undefined
}

/** Opens a subscription. It ends with the connection and returns complete events only. */
export async function openSubscription(
  transport: HttpTransport,
  { cursor, ...call }: SubscriptionCall,
): Promise<AsyncIterable<ReceivedEvent>> {
  const headers = cursor === undefined ? {} : { 'last-event-id': cursor }
  return readServerSentEvents(await transport.stream({ ...call, headers }))
}
