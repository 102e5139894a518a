// What can be read of a Monitor, and what it tells of its own accord.
#pragma once

#include <cstdint>
#include <string>

namespace spliceway {

enum class Health : uint8_t {
  kHealthy,
  kDegraded,  // misses in a row: it may still come back
  kStalled,   // the peer's JavaScript is stuck, its I/O thread answers
  kLost,      // nothing was heard for too long; for good
};

// Durations in nanoseconds; 0 where nothing was measured yet.
struct HealthFigures {
  Health health = Health::kHealthy;
  bool healing = false;  // degraded, or a score below the threshold
  bool probing = false;  // more loss than the threshold

  double score = 1;    // 0 to 1
  double success = 1;  // the share of the last ten PINGs that were answered in time
  bool rtt_shifted = false;
  double loss = 0;  // the greater of the next two
  double ping_loss = 0;
  double segment_loss = 0;

  int64_t interval = 0;
  int64_t reply_timeout = 0;
  int64_t rtt = 0;  // the last
  int64_t rtt_median = 0;
  int64_t rtt_iqr = 0;
  int64_t baseline_mean = 0;
  int64_t baseline_sigma = 0;
  int shifted_windows = 0;

  int failures = 0;
  int64_t silent_since = 0;  // when something was last heard
  int64_t stuck_for = 0;     // the peer's JavaScript, as it last said
  uint64_t sent = 0;
  uint64_t answered = 0;    // in time, by the PONG or by other bytes
  uint64_t missed = 0;      // no byte within the reply timeout
  uint64_t late = 0;        // of those: PONGs that came afterwards
  uint64_t late_turns = 0;  // of our own: nothing was judged in them
};

// Why something changed.
enum class Cause : uint8_t {
  kMisses,          // so many (value) in a row, each longer than (limit) ns
  kUnacknowledged,  // a plain stream: at so many (value) looks in a row
  kReplies,         // as many successes as there had been misses
  kStuck,           // the peer's JavaScript, for (value) ns
  kRunning,         // and no longer
  kSilence,         // nothing heard for (value) ns
  kGone,            // a plain stream: the kernel says so
  kScore,           // it fell to (value), below (limit)
  kScoreRecovered,  // it rose to (value)
};

// A change of the state, or of whether healing is called for, or of both at once.
struct Transition {
  Health from = Health::kHealthy;
  Health to = Health::kHealthy;
  bool healing = false;  // from now on
  Cause cause = Cause::kMisses;
  int64_t at = 0;
  double value = 0;
  double limit = 0;
};

// The cause in words: "3 replies in a row took longer than 250 ms".
std::string Words(const Transition& transition);

}  // namespace spliceway
