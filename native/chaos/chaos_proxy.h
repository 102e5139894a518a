// A proxy that impairs what it forwards, on a thread of its own: its timing does not depend on what
// JavaScript does.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "chaos/impairment.h"
#include "chaos/link.h"
#include "io/io_thread.h"
#include "io/port.h"
#include "sys/sockaddr.h"

namespace spliceway {

struct ChaosOptions {
  int listener = -1;  // borrowed: whoever starts it keeps it open
  SockAddr target;
  uint64_t seed = 0;
};

struct ChaosCounters {
  std::atomic<uint64_t> accepted = 0;
  std::atomic<uint64_t> active = 0;
  std::atomic<uint64_t> failed = 0;  // the target could not be connected to
};

class ChaosProxy final : private Link::Owner, private Port::User, private TimerOwner {
 public:
  // Accepts nothing before the first SetImpairment of both directions and Begin.
  static Result<std::unique_ptr<ChaosProxy>> Start(const ChaosOptions& options);
  // Closes every connection.
  ~ChaosProxy();

  // From the owner's thread. Directions: 0 from clients to the target, 1 back.
  void SetImpairment(int direction, const Impairment& impairment);
  void Begin();
  void ResetAll();

  // From any thread.
  const ChaosCounters& counters() const { return counters_; }
  const LaneCounters& counters(int direction) const { return settings_[direction].counters; }

 private:
  explicit ChaosProxy(const ChaosOptions& options) : options_(options) {}

  void OnPortReady() override { Accept(); }
  void OnTimer(int) override { Accept(); }
  void OnLinkOver(Link* link) override;
  void OnConnectFailed() override;

  void Listen();
  void Accept();
  void Took(OwnFd client);
  template <typename Act>
  void ForEachLink(Act act);

  // Connections in a row, before those that are there have their turn.
  static constexpr int kAcceptAtOnce = 64;
  static constexpr int64_t kPauseNs = 50'000'000;

  ChaosOptions options_;
  ChaosCounters counters_;
  std::array<LaneSettings, 2> settings_;
  std::optional<Ports> ports_;
  Port* listener_ = nullptr;
  Timer pause_{this, 0};
  std::unordered_map<Link*, std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<Link>> over_;  // until nothing of them is on the stack
  std::unique_ptr<IoThread> io_;
};

}  // namespace spliceway
