// What a HealingClient tells of itself.

/** What happened. Endpoints are written `host:port` or `unix:/path`. */
export type ClientEvent =
  /** A connection was made, and is the active one or a standby. */
  | { readonly type: 'connected'; readonly endpoint: string; readonly role: 'active' | 'standby' }
  /** One could not be made. The endpoint is left alone for `retryIn` milliseconds. */
  | { readonly type: 'connectFailed'; readonly endpoint: string; readonly error: Error; readonly retryIn: number }
  /** A connection ended that the client had not closed. */
  | { readonly type: 'lost'; readonly endpoint: string; readonly reason: string }
  /** New requests go to another connection from now on; with null they wait for one. */
  | { readonly type: 'switched'; readonly from: string; readonly to: string | null; readonly reason: string }
  /** A connection that was left has nothing under way any more, and is closed. */
  | { readonly type: 'drained'; readonly endpoint: string };

export interface ClientStats {
  /** Where requests go; null where they wait for a connection. */
  readonly active: string | null;
  /** The score of that connection, 0 to 1; null where nobody watches it. */
  readonly score: number | null;
  /** Connections that are ready. */
  readonly standby: number;
  /** Connections that were left and still have requests under way. */
  readonly draining: number;
  /** Requests that are neither answered nor failed; of these, those that wait for a connection. */
  readonly pending: number;
  readonly waiting: number;
  /** Requests that were made, and what became of them: `requests` is the sum of these and `pending`. */
  readonly requests: number;
  readonly results: number;
  readonly errors: number;
  readonly unknown: number;
  /** How often a request was sent again. */
  readonly resent: number;
  /** How often the active connection was left. */
  readonly switches: number;
  readonly connects: number;
  readonly connectsFailed: number;
}
