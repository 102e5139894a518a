#include "chaos/link.h"

#include <cerrno>
#include <utility>

#include "sys/socket.h"
#include "sys/sockopt.h"

namespace spliceway {
namespace {

sys::Family FamilyOf(const SockAddr& addr) {
  if (!addr.is_ip()) return sys::Family::kUnix;
  return addr.family() == AF_INET ? sys::Family::kIp4 : sys::Family::kIp6;
}

}  // namespace

void Link::Begin(Reactor* reactor, Ports* ports, OwnFd client, const SockAddr& target) {
  reactor_ = reactor;
  ports_ = ports;
  client_ = std::move(client);
  if (!Connect(target)) Refuse();
}

bool Link::Connect(const SockAddr& target) {
  auto fd = sys::Socket(FamilyOf(target), sys::SocketType::kStream);
  if (!fd.ok()) return false;
  target_ = std::move(fd.value());
  // What is sent in pieces is to arrive in pieces.
  if (target.is_ip() && !sys::SetNoDelay(target_.get(), true).ok()) return false;
  const Status begun = sys::Connect(target_.get(), target);
  if (!begun.ok() && begun.error().number != EINPROGRESS) return false;
  const auto port = ports_->Attach(target_.get(), Side::kWrite, this);
  if (!port.ok()) return false;
  connecting_ = port.value();
  return connecting_->AwaitEdge(Side::kWrite).ok();
}

void Link::OnPortReady() {
  StopConnecting();
  if (sys::PendingError(target_.get()) != 0) return Refuse();
  Connected();
}

void Link::StopConnecting() {
  if (Port* port = std::exchange(connecting_, nullptr)) ports_->Detach(port, Side::kWrite);
}

// A lane may be over at once, and both with it.
void Link::Connected() {
  lanes_[0].Begin(reactor_, ports_, client_.get(), target_.get());
  if (!over_) lanes_[1].Begin(reactor_, ports_, target_.get(), client_.get());
}

void Link::Refuse() {
  owner_->OnConnectFailed();
  Reset();
}

void Link::OnLaneOver(DelayLine::End end) {
  if (end == DelayLine::End::kReset) return Reset();
  if (++lanes_over_ == 2) Close();
}

// A descriptor that is no TCP socket's is merely closed.
void Link::Reset() {
  for (const OwnFd* fd : {&client_, &target_}) {
    if (*fd) (void)sys::SetLinger(fd->get(), 0).ok();
  }
  Close();
}

void Link::Close() {
  if (std::exchange(over_, true)) return;
  StopConnecting();
  for (Lane& lane : lanes_) lane.End();
  client_.Reset();
  target_.Reset();
  owner_->OnLinkOver(this);
}

}  // namespace spliceway
