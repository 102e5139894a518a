#include "core/socket.h"

#include <cerrno>
#include <memory>
#include <utility>

#include "core/reactor.h"
#include "sys/socket.h"

namespace spliceway {

int64_t Socket::Connect(const SockAddr& to) {
  const Status begun = sys::Connect(fd(), to);
  if (begun.ok()) {
    half(Side::kWrite).ready = true;
    return 0;
  }
  if (begun.error().number != EINPROGRESS) return -begun.error().number;
  const Status registered = Register(kWritable);
  return registered.ok() ? -EINPROGRESS : -registered.error().number;
}

int64_t Socket::FinishConnect(Call call, Stream** out) {
  if (const int32_t refused = Check(Side::kWrite, call)) return refused;
  if (!half(Side::kWrite).ready) return kAgain;
  if (const int error = sys::PendingError(fd())) return -error;
  // Some kernels have reported writability before the connection stood (golang/go#8276). The answer
  // is also the address that a connect to the wildcard ended at.
  const auto peer = sys::PeerAddr(fd());
  if (!peer.ok()) {
    half(Side::kWrite).ready = false;
    return kAgain;
  }
  auto* stream = reactor().Adopt(std::make_unique<Stream>(&reactor(), OwnFd(), kind_));
  if (stream == nullptr) return -ENFILE;
  stream->SetPeer(peer.value());
  if (const Status started = stream->StartWith(this); !started.ok()) {
    reactor().Close(stream);
    return -started.error().number;
  }
  *out = stream;
  return 0;
}

Result<Listener*> Socket::Listen(int backlog, OwnFd reserve) {
  if (const Status s = sys::Listen(fd(), backlog); !s.ok()) return s.error();
  auto* listener =
      reactor().Adopt(std::make_unique<Listener>(&reactor(), OwnFd(), kind_, std::move(reserve)));
  if (listener == nullptr) return Error{"listen", ENFILE};
  if (const Status started = listener->StartWith(this); !started.ok()) {
    reactor().Close(listener);
    return started.error();
  }
  return listener;
}

}  // namespace spliceway
