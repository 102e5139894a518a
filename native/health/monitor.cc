#include "health/monitor.h"

#include <utility>

namespace spliceway {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kFirstReplyTimeout = kSecond;  // before any RTT is known, as RFC 6298 has it
constexpr double kGraceReplies = 3.5;
constexpr double kGraceIntervals = 1.6;
constexpr int kProbesPerInterval = 5;
constexpr uint8_t kMostPostponed = 3;
constexpr uint8_t kMostExcused = 8;
constexpr size_t kMostTransitions = 16;
constexpr double kHysteresis = 0.05;  // by how much the score has to rise again

uint32_t Micros(int64_t ns) { return static_cast<uint32_t>(ns / 1000); }

int64_t Scaled(int64_t ns, double factor) {
  return static_cast<int64_t>(static_cast<double>(ns) * factor);
}

}  // namespace

Monitor::Monitor(std::shared_ptr<const HealthOptions> options, int64_t now, uint32_t seed)
    : options_(std::move(options)),
      interval_(options_->interval),
      reply_timeout_(std::clamp(kFirstReplyTimeout, options_->reply_floor, options_->reply_cap)),
      last_asked_(now),
      silent_since_(now),
      random_(seed | 1) {
  const int64_t spread = Scaled(std::min(interval_, kSecond), options_->jitter);
  ping_due_ = now + Scaled(spread, Random());
}

void Monitor::OnBytes(int64_t now) {
  if (!lost()) Hear(now);
}

void Monitor::OnPing(int64_t stuck_for, int64_t now) {
  if (lost()) return;
  Hear(now);
  HearOfLoop(stuck_for);
  if (!under_way() && failures_ == 0 && !probing() && postponed_ < kMostPostponed &&
      rtts_.count() > 0) {
    ++postponed_;
    ping_due_ = std::max(ping_due_, now + Pause());
  }
  Judge(now);
}

void Monitor::OnPingSent(int64_t now) {
  ++sent_;
  if (!under_way()) return;
  last_asked_ = now;
  SentAt(seq_) = std::max(Micros(now), 1U);
  reply_due_ = now + reply_timeout_;
}

void Monitor::OnPong(uint32_t seq, int64_t stuck_for, int64_t now) {
  if (lost()) return;
  Hear(now);
  HearOfLoop(stuck_for);
  const bool remembered = seq_ - seq < kRemembered && SentAt(seq) != 0;
  if (remembered) {
    // A turn that was under way when the owner of the frames before it sent it knows that late.
    const auto rtt = static_cast<int32_t>(Micros(now) - std::exchange(SentAt(seq), 0));
    if (static_cast<int32_t>(seq - oldest_good_) >= 0) TakeRtt(int64_t{std::max(rtt, 0)} * 1000);
    if (seq == seq_ && under_way()) {
      Settle(now);
    } else {
      AnsweredLate(seq);
    }
  }
  Judge(now);
}

void Monitor::OnSegments(uint64_t sent, uint64_t resent, int64_t now) {
  if (lost() || sent == 0) return;
  segment_loss_.Add(sent, resent);
  Judge(now);
}

void Monitor::OnSample(const PathSample& sample, int64_t now) {
  if (lost()) return;
  if (IsLate(now)) CatchUp(now);
  passive_ = true;
  reply_due_ = kNever;
  ++sent_;
  if (sample.rtt >= 0) TakeRtt(sample.rtt, sample.deviation);
  if (sample.sent > 0) segment_loss_.Add(sample.sent, sample.resent);

  awaiting_ = sample.awaiting;
  const int64_t heard_at = awaiting_ ? now - std::max<int64_t>(sample.heard_ago, 0) : now;
  silent_since_ = std::max(silent_since_, heard_at);
  if (!std::exchange(was_late_, false)) Count(!sample.overdue);
  last_asked_ = now;
  ScheduleNext(now);
  if (sample.gone) {
    Become(Health::kLost, now, Cause::kGone);
  } else {
    JudgeSilence(now);
  }
}

int64_t Monitor::NextDue() const {
  return lost() ? kNever : std::min({ping_due_, reply_due_, lost_at()});
}

Monitor::Turn Monitor::Advance(int64_t now) {
  Turn turn;
  if (now < NextDue()) return turn;
  if (IsLate(now)) {
    CatchUp(now);
  } else {
    excused_ = 0;
  }
  if (now >= reply_due_) Settle(now);
  if (!passive_) JudgeSilence(now);
  turn.lost = lost();
  turn.ping = !lost() && (passive_ || now >= ping_due_);
  if (turn.ping) Ask(now);
  turn.seq = seq_;
  return turn;
}

void Monitor::SetInterval(int64_t interval, int64_t now) {
  if (lost()) return;
  interval_ = interval;
  silent_since_ = std::max(silent_since_, now - interval);
  if (!under_way()) ScheduleNext(now);
}

std::vector<Transition> Monitor::TakeTransitions() { return std::exchange(transitions_, {}); }

// What is late by more than its time to reply is asked for again, by a PING whose reply has all of
// its time; silence is shorter by what was late.
void Monitor::CatchUp(int64_t now) {
  if (excused_ == kMostExcused) return;
  ++excused_;
  ++late_turns_;
  was_late_ = true;
  silent_since_ = std::min(now, silent_since_ + (now - NextDue()));
  reply_due_ = kNever;
  ping_due_ = now;
  oldest_good_ = seq_ + 1;
}

void Monitor::Hear(int64_t now) {
  if (IsLate(now)) CatchUp(now);
  silent_since_ = std::max(silent_since_, now);
  heard_ = true;
  excused_ = 0;
}

void Monitor::Ask(int64_t now) {
  ++seq_;
  last_asked_ = now;
  SentAt(seq_) = std::max(Micros(now), 1U);
  missed_bits_ &= ~Bit(seq_);
  heard_ = false;
  postponed_ = 0;
  ping_due_ = kNever;
  reply_due_ = now + reply_timeout_;
}

void Monitor::Settle(int64_t now) {
  reply_due_ = kNever;
  Count(heard_);
  if (!heard_) missed_bits_ |= Bit(seq_);
  ScheduleNext(now);
}

// After a miss PINGs follow at the reply timeout.
void Monitor::ScheduleNext(int64_t now) {
  ping_due_ = std::max(now, last_asked_ + (failures_ > 0 ? reply_timeout_ : Pause()));
}

// It was missed, but the peer is there.
void Monitor::AnsweredLate(uint32_t seq) {
  if ((missed_bits_ & Bit(seq)) == 0) return;
  missed_bits_ &= ~Bit(seq);
  ++answered_late_;
  if (failures_ > 0) --failures_;
}

// The kernel's round trips are smoothed, so that their spread is in its deviation: four of them, as
// in RFC 6298. A PONG has none.
void Monitor::TakeRtt(int64_t rtt, int64_t deviation) {
  rtts_.Add(rtt);
  baseline_.Add(rtts_, *options_);
  const int64_t kernels = deviation > 0 ? rtt + 4 * deviation : 0;
  const int64_t timeout = std::max({Scaled(rtts_.median(), options_->reply_factor),
                                    rtts_.median() + Scaled(rtts_.iqr(), options_->k), kernels});
  reply_timeout_ = std::clamp(timeout, options_->reply_floor, options_->reply_cap);
}

void Monitor::Count(bool success) {
  outcomes_ = static_cast<uint16_t>((outcomes_ << 1 | (success ? 1 : 0)) & ((1 << kOutcomes) - 1));
  if (!passive_) ping_loss_.Add(1, success ? 0 : 1);
  if (success) {
    ++answered_;
    if (failures_ > 0) --failures_;
  } else {
    ++missed_;
    // No higher: what more misses mean is said by the silence.
    if (failures_ < options_->degraded_after) ++failures_;
  }
}

void Monitor::Become(Health to, int64_t now, Cause lost_for) {
  const Health from = std::exchange(health_, to);
  const bool healing = HealingNow();
  if (health_ == from && healing == healing_) return;
  healing_ = healing;
  if (transitions_.size() == kMostTransitions) transitions_.erase(transitions_.begin());
  transitions_.push_back(Because(from, lost_for, now));
}

Transition Monitor::Because(Health from, Cause lost_for, int64_t now) const {
  const Health to = health_;
  Transition t{from, to, healing_, Cause::kRunning, now, 0, 0};
  const auto because = [&t](Cause cause, double value, double limit = 0) {
    t.cause = cause;
    t.value = value;
    t.limit = limit;
  };
  if (from == to) {
    because(healing_ ? Cause::kScore : Cause::kScoreRecovered, score(), options_->healing_below);
  } else if (to == Health::kLost) {
    because(lost_for, static_cast<double>(now - silent_since_));
  } else if (to == Health::kDegraded) {
    because(passive_ ? Cause::kUnacknowledged : Cause::kMisses, failures_,
            static_cast<double>(reply_timeout_));
  } else if (to == Health::kStalled) {
    because(Cause::kStuck, static_cast<double>(stuck_for_));
  } else if (from == Health::kDegraded) {
    because(Cause::kReplies, 0);
  }
  return t;
}

Health Monitor::HealthNow() const {
  if (failures_ >= options_->degraded_after) return Health::kDegraded;
  if (health_ == Health::kDegraded && failures_ > 0) return Health::kDegraded;
  return stuck_for_ >= options_->stalled_after ? Health::kStalled : Health::kHealthy;
}

bool Monitor::HealingNow() const {
  if (health_ == Health::kDegraded || health_ == Health::kLost) return true;
  const double enough = options_->healing_below + (healing_ ? kHysteresis : 0);
  return score() < std::min(enough, 1.0);
}

// Full marks for loss where there is none, half at the threshold, none at twice the threshold.
double Monitor::score() const {
  const HealthOptions& o = *options_;
  const double shift = baseline_.shifted(o) ? 0 : 1;
  const double kept = std::max(0.0, 1 - loss() / (2 * o.loss_threshold));
  const double weights = o.success_weight + o.rtt_shift_weight + o.loss_weight;
  return (o.success_weight * success() + o.rtt_shift_weight * shift + o.loss_weight * kept) /
         weights;
}

double Monitor::Random() {
  random_ ^= random_ << 13;  // xorshift32
  random_ ^= random_ >> 17;
  random_ ^= random_ << 5;
  return random_ / 4294967296.0;
}

// Where round trips are long PINGs are rarer, as long as two of them fit in before Lost.
int64_t Monitor::Pause() {
  const int64_t most = std::max(interval_, interval_ + grace() - 2 * reply_timeout_);
  const int64_t weighted = Scaled(rtts_.median(), options_->rtt_weight);
  int64_t pause = std::clamp(weighted, interval_, most);
  if (probing()) pause = std::min(pause, std::max(reply_timeout_, pause / kProbesPerInterval));
  return pause - Scaled(pause, options_->jitter * Random());
}

// The kernel's own patience with a peer begins at 200 ms, so that looks in quick succession say
// less than PINGs.
int64_t Monitor::grace() const {
  if (passive_) return options_->reply_cap;
  const int64_t replies = Scaled(reply_timeout_, kGraceReplies);
  const int64_t intervals = Scaled(interval_, kGraceIntervals);
  return std::min(std::max(replies, intervals), options_->reply_cap);
}

HealthFigures Monitor::figures() const {
  HealthFigures f;
  f.health = health_;
  f.healing = healing_;
  f.probing = probing();
  f.score = score();
  f.success = success();
  f.rtt_shifted = baseline_.shifted(*options_);
  f.loss = loss();
  f.ping_loss = ping_loss_.share();
  f.segment_loss = segment_loss_.share();
  f.interval = interval_;
  f.reply_timeout = reply_timeout_;
  f.rtt = rtts_.last();
  f.rtt_median = rtts_.median();
  f.rtt_iqr = rtts_.iqr();
  f.baseline_mean = static_cast<int64_t>(baseline_.mean());
  f.baseline_sigma = static_cast<int64_t>(baseline_.sigma());
  f.shifted_windows = baseline_.shifted_windows();
  f.failures = failures_;
  f.silent_since = silent_since_;
  f.stuck_for = stuck_for_;
  f.sent = sent_;
  f.answered = answered_;
  f.missed = missed_;
  f.late = answered_late_;
  f.late_turns = late_turns_;
  return f;
}

}  // namespace spliceway
