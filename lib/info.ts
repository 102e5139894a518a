// What the kernel tells of sockets: types for what native/sys/info.h gives.

import { readFileSync } from 'node:fs';
import { native } from './binding';

/** The state of a TCP connection, by RFC 9293's names. */
export type TCPState =
  | 'closed'
  | 'listen'
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'close-wait'
  | 'closing'
  | 'last-ack'
  | 'time-wait'
  | 'unknown';

/** Bytes on their way through a connection's socket. */
export interface QueueInfo {
  /** Bytes that have arrived and were not read. */
  unread: number;
  /**
   * TCP: bytes that the peer has not acknowledged, sent or not. Unix on Linux: the memory that what the
   * peer has not read takes, which is more than its bytes. Absent where the system does not tell.
   */
  unsent?: number;
}

/**
 * TCP_INFO of Linux, TCP_CONNECTION_INFO of macOS. Durations are in milliseconds, with fractions; sizes
 * and windows in bytes, but for the congestion window; rates in bytes a second. `Infinity` stands for
 * no limit and for what was not measured yet. What the running system does not tell is absent.
 */
export interface TCPInfo extends QueueInfo {
  state: TCPState;
  /** Linux: how the congestion control sees the connection. */
  congestionState?: 'open' | 'disorder' | 'cwr' | 'recovery' | 'loss' | 'unknown';

  /** Smoothed round-trip time. */
  rtt: number;
  /** Its mean deviation. */
  rttVariance: number;
  /** The smallest round trip of the last minutes; `Infinity` before the first. */
  minRtt?: number;
  /** The round trip as the receiver estimates it; 0 where nothing was received. */
  receiveRtt?: number;
  /** The time after which a segment without an answer is sent again. */
  retransmitTimeout: number;
  /** The time after which a received segment is acknowledged at the latest. */
  ackTimeout?: number;
  /** Time since data was last sent, … */
  sinceDataSent?: number;
  /** … received, … */
  sinceDataReceived?: number;
  /** … and since an acknowledgement last arrived. */
  sinceAckReceived?: number;

  /** Segments that may be under way. */
  congestionWindow: number;
  /** Segments up to which the window grows fast; `Infinity` until the first loss. */
  slowStartThreshold: number;
  /** Bytes that the peer has room for. */
  sendWindow?: number;
  /** Bytes that we have told the peer there is room for. */
  receiveWindow?: number;
  /** Bytes that the receive buffer is tuned to take in a round trip. */
  receiveSpace?: number;
  /** Bytes in a full segment: ours, … */
  sendMss: number;
  /** … the peer's, as far as seen, … */
  receiveMss?: number;
  /** … and what we announced. */
  advertisedMss?: number;
  pathMtu?: number;

  /** Segments sent and not acknowledged, … */
  unacked?: number;
  /** … of those, acknowledged out of order, … */
  sacked?: number;
  /** … thought lost, … */
  lost?: number;
  /** … and sent again. */
  retransmitting?: number;
  /** Retransmission timeouts in a row, now. */
  timeouts?: number;
  /** Unanswered window or keep-alive probes, now. */
  probes?: number;
  /** Doublings of the timeout, now. */
  backoff?: number;
  /** Segments sent again, in all. */
  retransmits?: number;
  /** How many segments may arrive out of order before one is thought lost. */
  reordering?: number;

  /** The rate at which segments are spaced out; `Infinity` where they are not. */
  pacingRate?: number;
  maxPacingRate?: number;
  /** The rate at which data was delivered last. */
  deliveryRate?: number;

  /** Bytes of data sent, retransmissions included. */
  bytesSent?: number;
  bytesAcked?: number;
  bytesRetransmitted?: number;
  bytesReceived?: number;
  /** Bytes in the send buffer that were not sent at all yet. */
  bytesNotSent?: number;
  segmentsSent?: number;
  segmentsReceived?: number;
  dataSegmentsSent?: number;
  dataSegmentsReceived?: number;
  segmentsDelivered?: number;
  /** Delivered with a mark of congestion (ECN). */
  segmentsDeliveredMarked?: number;
  segmentsOutOfOrder?: number;
  /** Segments that the peer reports to have got twice. */
  duplicatesReported?: number;
  reorderingsSeen?: number;

  /** Time in which there was something to send, … */
  busyTime?: number;
  /** … in which the peer's window, … */
  receiverLimitedTime?: number;
  /** … and in which the send buffer held it back. */
  bufferLimitedTime?: number;
}

/** What the kernel tells of a listening socket. What the running system does not tell is absent. */
export interface ListenerInfo {
  /** Connections that wait to be accepted. */
  queued?: number;
  /** How many may. */
  backlog?: number;
  /** Connections and attempts to connect that this socket dropped, for a full queue above all. TCP on Linux. */
  dropped?: number;
  /** Connections closed unseen because the process had no descriptor left for them. */
  refused: number;
  /**
   * The same of all TCP listeners of the network namespace since it began, which is often the whole
   * machine: its ListenOverflows and ListenDrops. TCP on Linux.
   */
  everywhere?: { overflows: number; drops: number };
}

/** @internal */
export function tcpInfo(id: number): TCPInfo {
  return { ...native.tcpInfo(id), ...native.queueInfo(id) } as TCPInfo;
}

/** @internal */
export function unixInfo(id: number): QueueInfo {
  return native.queueInfo(id) as QueueInfo;
}

/** @internal */
export function listenerInfo(id: number, refused: number): ListenerInfo {
  const info: ListenerInfo = { ...native.listenInfo(id), refused };
  const everywhere = info.dropped === undefined ? undefined : listenCounters();
  return everywhere === undefined ? info : { ...info, everywhere };
}

// A line of names, then a line of numbers, both with the group's name first.
function listenCounters(): ListenerInfo['everywhere'] {
  try {
    const lines = readFileSync('/proc/net/netstat', 'utf8').split('\n');
    const [names, numbers] = lines.filter((line) => line.startsWith('TcpExt:')).map((line) => line.split(' '));
    const counter = (name: string) => Number(numbers?.[names?.indexOf(name) ?? -1]);
    return { overflows: counter('ListenOverflows'), drops: counter('ListenDrops') };
  } catch {
    return undefined; // no /proc here
  }
}
