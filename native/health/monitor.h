// How well one connection is: what was heard on it, and when, becomes a state, a score and the
// times at which to send PINGs. No I/O, no clock (every call takes `now`), no threads (the owner
// locks), so that tests let any time pass.
//
//   ┌─────────┐  three misses in a row   ┌──────────┐
//   │ healthy │ ───────────────────────▶ │ degraded │
//   │         │ ◀─────────────────────── │          │
//   └─▲─────┬─┘  as many successes       └────▲───┬─┘
//     │     │ a PONG says: JavaScript stuck   │   │
//     │   ┌─▼───────┐    three misses         │   │ nothing heard for interval + grace
//     └── │ stalled │ ────────────────────────┘   ▼
//  a PONG └─────────┘                          lost, for good
//
// One PING is under way at a time. Its outcome is a success if its PONG, or any other byte, is
// heard within the reply timeout, else a miss, and then the next PING follows at once. Failures
// rise by one with each miss and fall by one with each success.
//
//   grace = max(3.5 reply timeouts, 1.6 intervals), at most the cap of 8 s
//
// so that the last byte is at most interval + 8 s old when a connection is lost, and no more than
// 1.5 s at an interval of 500 ms on a fast path.
//
// A turn of the owner's that comes late (it was not scheduled, or stopped) says nothing about the
// peer: the time by which it is late counts as if it had not passed, no RTT is taken from it, and
// the PING under way is forgotten and sent anew. After eight such turns in a row without a byte
// they are judged all the same.
//
// For a connection with PING and PONG the owner does this, I/O first as in every turn:
//
//   bytes arrive        OnBytes(now), and OnPing or OnPong for what is in them
//   at NextDue()        Advance(now): .ping: send it, OnPingSent(now) when it is on its way
//                                     .lost: close
//   after either        TakeTransitions(), and the timer moved to NextDue()
//
// For a plain stream Advance's .ping means: look at TCP_INFO now and call OnSample.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "health/baseline.h"
#include "health/figures.h"
#include "health/loss.h"
#include "health/options.h"
#include "health/rtt_window.h"
#include "sys/clock.h"

namespace spliceway {

// What the kernel knows of a plain TCP stream, since the last look at it.
struct PathSample {
  int64_t rtt = -1;       // ns; negative where nothing was acknowledged since
  int64_t deviation = 0;  // of the RTT, as the kernel estimates it
  uint64_t sent = 0;      // segments, ...
  uint64_t resent = 0;    // ... and those sent again
  bool awaiting = false;  // data or a keep-alive probe is not acknowledged
  bool overdue = false;   // and a retransmission timeout, or an interval of probes, has passed
  bool gone = false;      // the kernel has given the connection up, or the peer has reset it
  int64_t heard_ago = 0;  // ns since the last byte or acknowledgement
};

class Monitor {
 public:
  struct Turn {
    bool ping = false;  // send a PING with `seq`; asked again, the one that is unsent is replaced
    uint32_t seq = 0;
    bool lost = false;  // since now, for want of anything heard
  };

  // `options` is shared by all connections that have the same. `seed`: of the jitter. The first
  // PING is due at once, but for jitter.
  Monitor(std::shared_ptr<const HealthOptions> options, int64_t now, uint32_t seed);

  // Bytes of any kind arrived.
  void OnBytes(int64_t now);

  // A PING arrived (which OnBytes need not be told of): our own is postponed, but not more than
  // three times in a row, so that both sides go on measuring. `stuck_for`: ns for which the peer's
  // JavaScript has not come back to its loop; 0 where it does not say.
  void OnPing(int64_t stuck_for, int64_t now);

  // The PING that Advance last asked for left. Until this is told, time runs from the asking.
  void OnPingSent(int64_t now);

  // A PONG arrived. One that answers no PING of ours, or one that was answered, is life, and
  // nothing else.
  void OnPong(uint32_t seq, int64_t stuck_for, int64_t now);

  // Segments sent, and those of them sent again, since the last call: for the score.
  void OnSegments(uint64_t sent, uint64_t resent, int64_t now);

  // In place of all the above, for a plain stream: it is this call that may find it lost.
  void OnSample(const PathSample& sample, int64_t now);

  // When Advance next has something to do; kNever once lost.
  int64_t NextDue() const;
  // Judges what is due by now. May be called early.
  Turn Advance(int64_t now);

  // From now on. Silence so far counts for no more than one such interval.
  void SetInterval(int64_t interval, int64_t now);

  Health health() const { return health_; }
  bool healing() const { return healing_; }
  double score() const;
  int64_t reply_timeout() const { return reply_timeout_; }
  HealthFigures figures() const;

  // What changed since the last call, in order. No more than the latest 16 are kept.
  bool has_transitions() const { return !transitions_.empty(); }
  std::vector<Transition> TakeTransitions();

 private:
  static constexpr uint32_t kRemembered = 32;
  static constexpr int kOutcomes = 10;

  bool lost() const { return health_ == Health::kLost; }
  bool under_way() const { return reply_due_ != kNever; }

  uint32_t& SentAt(uint32_t seq) { return sent_at_[seq % kRemembered]; }
  static uint32_t Bit(uint32_t seq) { return 1U << seq % kRemembered; }

  bool IsLate(int64_t now) const { return now - NextDue() > options_->late_after; }
  // Has a late turn judge nothing.
  void CatchUp(int64_t now);
  void Hear(int64_t now);
  void HearOfLoop(int64_t stuck_for) { stuck_for_ = stuck_for > 0 ? stuck_for : 0; }
  void Ask(int64_t now);
  // The PING under way has had its time.
  void Settle(int64_t now);
  void ScheduleNext(int64_t now);
  void AnsweredLate(uint32_t seq);
  void TakeRtt(int64_t rtt, int64_t deviation = 0);
  void Count(bool success);
  // Puts the state, and whether healing is called for, where they belong, and tells of it.
  void Judge(int64_t now) { Become(HealthNow(), now); }
  void JudgeSilence(int64_t now) { Become(now >= lost_at() ? Health::kLost : HealthNow(), now); }
  void Become(Health to, int64_t now, Cause lost_for = Cause::kSilence);
  Transition Because(Health from, Cause lost_for, int64_t now) const;
  Health HealthNow() const;
  bool HealingNow() const;

  double Random();  // 0 to 1
  int64_t Pause();  // from one PING to the next
  bool probing() const { return loss() > options_->loss_threshold; }
  double loss() const { return std::max(ping_loss_.share(), segment_loss_.share()); }
  double success() const { return static_cast<double>(std::popcount(outcomes_)) / kOutcomes; }
  int64_t grace() const;
  int64_t lost_at() const { return awaiting_ ? silent_since_ + interval_ + grace() : kNever; }

  std::shared_ptr<const HealthOptions> options_;
  int64_t interval_;
  int64_t reply_timeout_;
  int64_t ping_due_;
  int64_t reply_due_ = kNever;  // of the PING under way
  int64_t last_asked_;          // when that was asked for, or has left
  int64_t silent_since_;
  int64_t stuck_for_ = 0;
  uint32_t random_;
  uint32_t seq_ = 0;
  uint32_t oldest_good_ = 1;  // PINGs before it say nothing about the RTT

  // When each of the last PINGs left, for the RTT of those that are answered late: microseconds
  // modulo 2^32, 0 once answered. And which of them were missed, a bit each.
  std::array<uint32_t, kRemembered> sent_at_{};
  uint32_t missed_bits_ = 0;

  RttWindow rtts_;
  Baseline baseline_;
  LossShare ping_loss_{63.0 / 64};
  LossShare segment_loss_{7.0 / 8};
  uint16_t outcomes_ = (1 << kOutcomes) - 1;  // of the last PINGs, a bit each: 1 for a success

  Health health_ = Health::kHealthy;
  bool healing_ = false;
  bool heard_ = false;     // anything, since the PING under way was asked for
  bool passive_ = false;   // samples, no PINGs
  bool awaiting_ = true;   // silence is a bad sign
  bool was_late_ = false;  // the turn in which a sample was asked for
  uint8_t failures_ = 0;
  uint8_t postponed_ = 0;  // PINGs of our own in a row
  uint8_t excused_ = 0;    // late turns in a row

  uint64_t sent_ = 0;
  uint64_t answered_ = 0;
  uint64_t missed_ = 0;
  uint64_t answered_late_ = 0;
  uint64_t late_turns_ = 0;
  std::vector<Transition> transitions_;
};

}  // namespace spliceway
