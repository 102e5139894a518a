// A Monitor, the peer that it watches and the path between them, on a clock that the test turns.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "health/monitor.h"

namespace spliceway {

inline constexpr int64_t kMs = 1'000'000;
inline constexpr int64_t kSecond = 1000 * kMs;

class Heartbeats {
 public:
  explicit Heartbeats(const HealthOptions& options = {}, uint32_t seed = 1)
      : monitor(std::make_shared<const HealthOptions>(options), now, seed) {}

  // When the PONG of a PING arrives, after so many ns; nothing: never.
  std::function<std::optional<int64_t>()> reply = [] { return kMs; };
  int64_t stuck_for = 0;
  // By how much our own turns come late.
  std::function<int64_t()> lateness = [] { return int64_t{0}; };

  int64_t now = 1000 * kSecond;
  Monitor monitor;
  std::vector<Transition> transitions;
  std::optional<int64_t> lost_at;
  int64_t last_byte = now;

  void Answer(int64_t rtt) {
    reply = [rtt] { return rtt; };
  }
  void BlackHole() {
    reply = [] { return std::nullopt; };
    arrivals_.clear();
  }
  // Bytes that arrive then, besides PONGs.
  void BytesAt(int64_t when) { arrivals_.push_back({when, 0, 0}); }

  void Run(int64_t span) { RunUntil(now + span); }
  void RunUntil(int64_t end) {
    for (int64_t next = NextEvent(); next <= end; next = NextEvent()) Turn(next + lateness());
    now = std::max(now, end);
  }
  // Until so many PINGs have gone.
  void RunPings(uint64_t count) {
    for (const uint64_t end = pings + count; pings < end && !lost_at;)
      Turn(NextEvent() + lateness());
  }
  // Nothing of ours runs for so long.
  void Sleep(int64_t span) {
    const int64_t next = NextEvent();
    Turn(next + span);
  }

  std::vector<Health> states() const {
    std::vector<Health> all;
    for (const Transition& t : transitions) all.push_back(t.to);
    return all;
  }

  uint64_t pings = 0;
  std::vector<int64_t> pinged_at;

 private:
  struct Arrival {
    int64_t at;
    uint32_t seq;  // of a PONG; 0 for other bytes
    int64_t stuck_for;
  };

  int64_t NextEvent() const {
    int64_t next = monitor.NextDue();
    for (const Arrival& a : arrivals_) next = std::min(next, a.at);
    return next;
  }

  // What a reactor does: I/O first, then timers.
  void Turn(int64_t when) {
    now = std::max(now, when);
    Deliver();
    const Monitor::Turn turn = monitor.Advance(now);
    if (turn.lost) lost_at = now;
    if (turn.ping) Ping(turn.seq);
    for (const Transition& t : monitor.TakeTransitions()) transitions.push_back(t);
  }

  void Deliver() {
    std::stable_sort(arrivals_.begin(), arrivals_.end(),
                     [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
    while (!arrivals_.empty() && arrivals_.front().at <= now) {
      const Arrival a = arrivals_.front();
      arrivals_.erase(arrivals_.begin());
      if (!lost_at) last_byte = now;
      monitor.OnBytes(now);
      if (a.seq != 0) monitor.OnPong(a.seq, a.stuck_for, now);
    }
  }

  void Ping(uint32_t seq) {
    ++pings;
    pinged_at.push_back(now);
    monitor.OnPingSent(now);
    if (const auto rtt = reply()) arrivals_.push_back({now + *rtt, seq, stuck_for});
  }

  std::vector<Arrival> arrivals_;
};

}  // namespace spliceway
