// A socket before it is anything else: made, given options, bound. Then it connects and becomes a
// Stream, or listens and becomes a Listener. Being a handle of its own it can meanwhile be given a
// deadline, awaited and closed like any other.
#pragma once

#include <cstdint>

#include "core/listener.h"
#include "core/pollable.h"
#include "core/stream.h"
#include "sys/sockaddr.h"

namespace spliceway {

class Socket final : public Pollable {
 public:
  static constexpr Type kType = Type::kSocket;

  Socket(Reactor* reactor, OwnFd fd, Stream::Kind kind)
      : Pollable(kType, reactor, std::move(fd)), kind_(kind) {}

  // Begins to connect. 0: connected. -EINPROGRESS: await kWrite. Otherwise a negative errno. One of
  // them is EAGAIN: the queue of a Unix socket is full, and no event says when it no longer is.
  int64_t Connect(const SockAddr& to);
  // The connected stream, which takes this handle's descriptor; else kAgain or a negative errno.
  int64_t FinishConnect(Call call, Stream** out);

  // The listener, which takes this handle's descriptor.
  Result<Listener*> Listen(int backlog, OwnFd reserve);

 private:
  Stream::Kind kind_;
};

}  // namespace spliceway
