// What happens in a proxy, as its owner is told and as it is counted.

import type { Addr } from '../addr';
import type { OpError } from '../errors';
import type { ProxyRejections } from '../proxy-protocol/listener';
import type { RelayResult } from '../relay';

/**
 * Why a connection was closed before it was joined to a target:
 * - `maxConnections`, `maxPerSource`: that limit was reached
 * - `noHello`: with routes, no whole ClientHello came in time
 * - `noRoute`: there is no route for it, and no default target
 * - `noTarget`: no target could be connected to
 * - `clientGone`: the client went away before one was
 * - `closed`: the proxy was closed before one was
 */
export type ProxyRejectReason = (typeof REJECTIONS)[number];

export const REJECTIONS = [
  'maxConnections',
  'maxPerSource',
  'noHello',
  'noRoute',
  'noTarget',
  'clientGone',
  'closed',
] as const;

interface OfConnection {
  /** Of the connection: 1, 2, … */
  id: number;
  /** The client's address. */
  source: Addr;
}

/** Targets are named as on a command line: `host:port`, `unix:/path`. Times are in milliseconds. */
export type ProxyEvent =
  | ({ type: 'connect'; target: string; connectTime: number } & OfConnection)
  | ({ type: 'end'; target: string; connectTime: number } & OfConnection & ProxyConnectionResult)
  | ({ type: 'reject'; reason: ProxyRejectReason; error: Error | null } & OfConnection)
  | ({ type: 'dialFailed'; target: string; error: OpError } & OfConnection)
  | { type: 'targetDown'; target: string; error: OpError; failures: number; retryIn: number }
  | { type: 'targetUp'; target: string; downFor: number }
  | { type: 'error'; error: Error };

/** How a connection that was joined to a target has ended. */
export interface ProxyConnectionResult {
  /** See {@link RelayResult.reason}. */
  reason: RelayResult['reason'];
  endedBy: 'client' | 'target' | null;
  error: OpError | null;
  bytesToTarget: number;
  bytesToClient: number;
  /** From the moment they were joined. */
  duration: number;
}

/** What a proxy counts. */
export interface ProxyStats {
  /** Connections at the moment: waiting for a target, or joined to one. */
  active: number;
  /** Connections since the start, rejected ones too. */
  total: number;
  /** Bytes that targets took from clients, … */
  bytesToTargets: number;
  /** … and clients from targets; those of running connections too. */
  bytesToClients: number;
  /** Connections that were joined to no target. */
  rejected: Record<ProxyRejectReason, number>;
  /** Connections that were closed for their PROXY headers, before they counted here; null where none are read. */
  proxyHeaders: Readonly<ProxyRejections> | null;
  targets: ProxyTargetStats[];
}

export interface ProxyTargetStats {
  /** `host:port` or `unix:/path`. */
  name: string;
  state: 'up' | 'down';
  /** Connections at the moment, those that are being made too. */
  active: number;
  /** Connections that were made. */
  total: number;
  /** Attempts to connect that failed. */
  failed: number;
  bytesToTarget: number;
  bytesToClients: number;
}
