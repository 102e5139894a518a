// What a look at TCP_INFO says about the peer, in the words that sampleMonitor takes.

import type { TCPInfo } from '../info';

// A probe that is on its way is no bad sign; the second one means that the first was not answered.
const UNANSWERED_PROBES = 2;

/** Turns what the kernel counts since the beginning into what happened since the last look. */
export class Sampling {
  private readonly words = new Float64Array(8);
  private sent: number;
  private damage: number;
  private acked: number | undefined;

  constructor(first: TCPInfo) {
    this.sent = sentIn(first);
    this.damage = damageIn(first);
    this.acked = undefined;
  }

  /** The words are good until the next look. */
  look(info: TCPInfo): Float64Array {
    const { timeouts = 0, probes = 0, unacked = 0, bytesAcked } = info;
    // A round trip that nothing was added to since is no new one.
    const fresh = bytesAcked === undefined || bytesAcked !== this.acked;
    const awaiting = unacked > 0 || probes > 0;
    const overdue = timeouts > 0 || probes >= UNANSWERED_PROBES;
    this.words.set([
      fresh ? finite(info.rtt, -1) : -1,
      finite(info.rttVariance, 0),
      Math.max(sentIn(info) - this.sent, 0),
      Math.max(damageIn(info) - this.damage, 0),
      Number(awaiting),
      Number(overdue),
      Number(info.state === 'closed'),
      finite(Math.min(info.sinceDataReceived ?? 0, info.sinceAckReceived ?? 0), 0),
    ]);
    this.sent = sentIn(info);
    this.damage = damageIn(info);
    this.acked = bytesAcked;
    return this.words;
  }
}

// Infinity is what was not measured yet.
function finite(value: number, otherwise: number): number {
  return Number.isFinite(value) ? value : otherwise;
}

function sentIn(info: TCPInfo): number {
  return info.dataSegmentsSent ?? info.segmentsSent ?? 0;
}

// Segments sent again, and those thought lost that will be.
function damageIn({ retransmits = 0, lost = 0, retransmitting = 0 }: TCPInfo): number {
  return retransmits + Math.max(lost - retransmitting, 0);
}
