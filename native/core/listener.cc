#include "core/listener.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "core/reactor.h"
#include "sys/clock.h"
#include "sys/socket.h"

namespace spliceway {
namespace {

constexpr int64_t kFirstPause = 5'000'000;
constexpr int64_t kLongestPause = 1'000'000'000;
// Enough to empty a usual queue, few enough not to hold up the loop: each costs some 20 µs.
constexpr int kRefuseAtMost = 128;

bool IsShortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Listener::Listener(Reactor* reactor, OwnFd fd, Stream::Kind kind, OwnFd reserve)
    : Pollable(kType, reactor, std::move(fd)),
      kind_(kind),
      reserve_(std::move(reserve)),
      pause_(this, kPauseTimer) {}

Status Listener::Start() { return Register(kReadable); }
Status Listener::StartWith(Pollable* other) { return TakeOver(other, kReadable); }
Status Listener::StartOn(OwnFd* fd) { return TakeIn(fd, kReadable); }

int64_t Listener::Accept(std::span<int32_t> out, Call call) {
  if (const int32_t refused = Check(Side::kRead, call)) return refused;
  size_t count = 0;
  while (count < out.size() && half(Side::kRead).ready) {
    const auto accepted = AcceptOne();
    if (accepted.ok()) {
      out[count++] = accepted.value();
      continue;
    }
    const int error = accepted.error().number;
    if (error == EAGAIN) {
      half(Side::kRead).ready = false;
    } else if (count == 0) {
      return IsShortage(error) ? Pause(error) : -error;
    } else {
      break;  // the next call meets it again and reports it
    }
  }
  return count > 0 ? static_cast<int64_t>(count) : kAgain;
}

Result<int32_t> Listener::AcceptOne() {
  SockAddr peer;
  auto fd = sys::Accept(this->fd(), &peer);
  if (!fd.ok()) return fd.error();
  pause_ns_ = 0;
  auto stream = std::make_unique<Stream>(&reactor(), std::move(fd.value()), kind_);
  stream->SetPeer(peer);
  if (may_linger()) stream->MarkMayLinger();  // inherited, as most options are
  Stream* raw = reactor().Adopt(std::move(stream));
  if (raw == nullptr) return Error{"accept", ENFILE};
  const Status started = raw->Start();
  if (started.ok()) return raw->id();
  reactor().Close(raw);
  return started.error();
}

int64_t Listener::Pause(int error) {
  if (pause_ns_ > 0) RefuseQueued();
  pause_ns_ = std::clamp(pause_ns_ * 2, kFirstPause, kLongestPause);
  half(Side::kRead).ready = false;
  SetTimer(&pause_, MonotonicNow() + pause_ns_);
  return -error;
}

void Listener::RefuseQueued() {
  if (!reserve_) return;
  reserve_.Reset();
  SockAddr peer;
  for (int i = 0; i < kRefuseAtMost; ++i) {
    if (!sys::Accept(fd(), &peer).ok()) break;  // accepted: closed at once by its destructor
    ++refused_;
  }
  // If another thread took the place meanwhile there is no reserve until the next refusal succeeds.
  if (auto reserve = sys::OpenReserve(); reserve.ok()) reserve_ = std::move(reserve.value());
}

// A pause's end makes the listener ready whatever came meanwhile.
void Listener::OnReady(uint32_t ready) {
  if (!paused()) Pollable::OnReady(ready);
}

void Listener::OnTimer(int which) {
  if (which == kPauseTimer) {
    WakeUp(Side::kRead);
  } else {
    Pollable::OnTimer(which);
  }
}

OwnFd Listener::Release() {
  pause_.Cancel();
  return Pollable::Release();
}

}  // namespace spliceway
