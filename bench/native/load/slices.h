// The measured window, cut into slices of 50 ms: bursts in which the machine was busy with
// something else then spoil a few slices and not the whole run.
#pragma once

#include <cstdint>
#include <vector>

#include "clock.h"
#include "histogram.h"
#include "options.h"
#include "server_clock.h"

namespace bench {

class Slices {
 public:
  explicit Slices(const Options& options);

  // Calls turn() over and over, through the warm-up and then through the window.
  template <typename Turn>
  void Run(Turn turn) {
    const int64_t warm_at = Now() + options_.warm_up_ns;
    for (int64_t now = Now(); now < warm_at; now = Now()) {
      CheckProgress(now);
      turn();
    }
    Begin(Now());
    for (int64_t now = Now(); now < end_; now = Now()) {
      if (now >= cut_at_) Cut(now);
      CheckProgress(now);
      turn();
    }
    End(Now());
  }

  // Calls turn() outside the window, until it answers that it is done.
  template <typename Turn>
  void Finish(Turn turn) {
    while (!turn()) CheckProgress(Now());
  }

  // So many requests, connections or bytes are done.
  void Count(int64_t n) {
    done_ += n;
    total_ += n;
  }

  bool measuring() const { return measuring_; }

  // One line of JSON on standard output.
  void Report(const char* unit, const Histogram* latencies) const;

 private:
  struct Slice {
    int64_t began_at, elapsed_ns, done;
    TaskTimes server;
    int64_t own_delay_ns;
  };

  void Begin(int64_t now);
  void Cut(int64_t now);
  void End(int64_t now);
  // Ends the process when nothing has been done for a long time.
  void CheckProgress(int64_t now) {
    if (total_ != total_seen_) {
      total_seen_ = total_;
      progress_at_ = now;
    } else if (now > progress_at_ + options_.patience_ns) {
      GiveUp();
    }
  }
  [[noreturn]] void GiveUp() const;

  static constexpr int64_t kLength = 50 * kMillisecond;

  const Options& options_;
  ServerClock server_;
  std::vector<Slice> slices_;
  bool measuring_ = false;
  int64_t end_ = 0;
  int64_t began_at_ = 0;
  int64_t cut_at_ = 0;
  int64_t own_delay_ns_ = 0;
  int64_t done_ = 0;
  int64_t total_ = 0;
  int64_t total_seen_ = 0;
  int64_t progress_at_ = Now();
};

}  // namespace bench
