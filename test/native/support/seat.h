// A Reactor's third seat: turned by hand, with everything that it tells kept for the test.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/listener.h"
#include "core/packet.h"
#include "core/reactor.h"
#include "core/socket.h"
#include "core/stream.h"
#include "support/pair.h"
#include "sys/clock.h"

namespace spliceway::test {

inline constexpr int64_t kMs = 1'000'000;

struct Told {
  int32_t id;
  uint32_t notice;
  friend bool operator==(const Told&, const Told&) = default;
};

inline void PrintTo(const Told& told, std::ostream* out) {
  *out << "{id " << told.id << ", notice " << told.notice << "}";
}

// Gives that side of each the same deadline, which none of them finds past already, however busy
// the machine is; `delay` from now if it can be. When that is.
inline int64_t SetDeadlineAhead(const std::vector<Pollable*>& handles, Side side, int64_t delay) {
  for (;; delay *= 2) {
    const int64_t when = MonotonicNow() + delay;
    bool past = false;
    for (Pollable* handle : handles) past |= handle->SetDeadline(side, when);
    if (!past) return when;
  }
}

class Seat {
 public:
  explicit Seat(size_t capacity = 64) : pairs_(2 * capacity) {}

  Reactor& reactor() { return *reactor_; }

  // A handle on that descriptor, registered.
  Stream* Adopt(OwnFd fd, Stream::Kind kind) {
    return Started(std::make_unique<Stream>(&reactor(), std::move(fd), kind));
  }
  Listener* AdoptListener(OwnFd fd, OwnFd reserve = {}) {
    return Started(std::make_unique<Listener>(&reactor(), std::move(fd), Stream::Kind::kTcp,
                                              std::move(reserve)));
  }
  PacketSocket* AdoptPackets(OwnFd fd) {
    return Started(std::make_unique<PacketSocket>(&reactor(), std::move(fd)));
  }
  Socket* AdoptSocket(OwnFd fd, Stream::Kind kind) {
    return reactor().Adopt(std::make_unique<Socket>(&reactor(), std::move(fd), kind));
  }

  // One turn, and what it told.
  std::vector<Told> Turn(int timeout_ms = 0) {
    Records records{pairs_.data(), pairs_.size() / 2, 0};
    reactor_->Turn(&records, timeout_ms);
    std::vector<Told> told;
    for (size_t i = 0; i < records.count; ++i) {
      told.push_back({pairs_[2 * i], static_cast<uint32_t>(pairs_[2 * i + 1])});
    }
    return told;
  }

  // Turns until the handle is told something, and gives that back. What others are told meanwhile
  // is kept for their own AwaitNotice.
  uint32_t AwaitNotice(const Pollable* handle) { return AwaitNotice(handle->id()); }
  uint32_t AwaitNotice(int32_t id) {
    const int64_t until = MonotonicNow() + kPatienceMs * kMs;
    while (untaken_[id] == 0 && MonotonicNow() < until) {
      for (const Told& told : Turn(kPatienceMs)) untaken_[told.id] |= told.notice;
    }
    EXPECT_NE(untaken_[id], 0u) << "the notice that was awaited never came";
    return std::exchange(untaken_[id], 0u);
  }

  // Awaits the side once and waits until it is told.
  uint32_t WaitFor(Pollable* handle, Side side) {
    handle->SetAwait(side, Await::kOnce);
    return AwaitNotice(handle);
  }

 private:
  template <typename T>
  T* Started(std::unique_ptr<T> object) {
    T* raw = reactor().Adopt(std::move(object));
    EXPECT_TRUE(raw->Start().ok());
    return raw;
  }

  std::unique_ptr<Reactor> reactor_ = std::move(Reactor::Create().value());
  std::vector<int32_t> pairs_;
  std::map<int32_t, uint32_t> untaken_;
};

}  // namespace spliceway::test
