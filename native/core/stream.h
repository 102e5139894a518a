// One connection: reading, writing and half-closing a connected stream socket.
//
//            first read or write              deadline passes          new deadline, or none
//   New ───────────────────────────▶ Active ─────────────────▶ ReadExpired ─────────────▶ Active
//    │                                 │                        WriteExpired
//    │ close                           │ shutdown: pending writes finish, then FIN
//    │                                 ▼
//    │                              Closing ── FIN of the peer, or the timeout
//    ▼                                 ▼
//   Closed ◀───────────────────────────┘        (close: from any state, at once)
//
// Expiry belongs to a direction, so a stream can be ReadExpired and WriteExpired at once while what
// already runs in the other direction goes on. The queue of waiting calls is JavaScript's (lib/): a
// stream is only ever called with memory that is good for the length of the call, so no later
// system call can touch a buffer that has moved, shrunk or been detached. See docs/decisions/001.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/pollable.h"
#include "sys/io.h"
#include "sys/sockaddr.h"
#include "sys/socket.h"
#include "sys/unix.h"

namespace spliceway {

class Stream : public Pollable {
 public:
  static constexpr Type kType = Type::kStream;

  enum class Kind : uint8_t {
    kTcp,      // bytes; a short read empties the queue, unless the last event hinted at more
    kUnix,     // bytes; a read also stops short where a message with descriptors begins
    kPackets,  // SOCK_SEQPACKET: a read takes one message
    kFifo,     // one end of a pipe: no socket, so that neither peer nor half-closing is known
  };

  Stream(Reactor* reactor, OwnFd fd, Kind kind)
      : Pollable(kType, reactor, std::move(fd)), kind_(kind) {}

  // Registers a new or adopted descriptor; readiness that is there already is reported as an edge.
  Status Start();
  // The same with the descriptor of another handle, which is left without one.
  Status StartWith(Pollable* other);
  // The same with a descriptor that others made and may hold too. On an error it stays theirs.
  Status StartOn(OwnFd* fd);

  // Kept, because the kernel forgets the peer of a connection that was reset.
  void SetPeer(const SockAddr& peer) { peer_.Store(peer); }
  SockAddr peer() const { return peer_.Load(); }

  // The bytes read, 0 at end of stream (asked of the kernel anew each time), a negative errno, or a
  // code of core/status.h. After kAgain, await kRead.
  int64_t Read(void* p, size_t n, Call call);
  // As Read, and the next read finds the same bytes. How many come says nothing of what there is.
  int64_t Peek(void* p, size_t n, Call call);
  // The bytes that the kernel took, which may be fewer than given: then await kWrite.
  int64_t Write(const void* p, size_t n, Call call);
  int64_t WriteVector(const iovec* slices, size_t count, Call call);

  // The same over a Unix socket, with descriptors: sys/unix.h.
  int64_t SendFds(const void* p, size_t n, std::span<const int32_t> fds, Call call);
  sys::ReceivedFds ReceiveFds(void* p, size_t n, std::span<int32_t> fds, Call call);

  // For those that make the system calls themselves (relay/pump.h): Check, and from now on no
  // longer New; the last call said EAGAIN.
  int32_t Begin(Side side, Call call);
  void ReadBlocked();
  Status WriteBlocked();

  // Nobody is to use the stream for now. kAgain where it is quiet: the first byte, FIN or reset
  // that comes is then told (Await::kGuard), and no deadline stands. Else why it is not fit for
  // another user: a count of bytes that nobody has read, 0 for the peer's FIN, a negative errno
  // (EPIPE where writing is over), or a code of core/status.h. With `ask` the kernel is asked even
  // where no event has told of anything.
  int64_t Rest(bool ask);

  // Neither waits for running calls: a blocked write fails with EPIPE, a waiting read ends.
  Status Shutdown(sys::ShutdownHow how);

  Kind kind() const { return kind_; }
  // Whether it has left the state New.
  bool used() const { return used_; }
  // New again: what was read so far was about the connection, and not of it.
  void MarkNew() { used_ = false; }

  void OnReady(uint32_t ready) override;

 private:
  int64_t Receive(void* p, size_t n) const;
  template <typename Send>
  int64_t WriteWith(Call call, Send send);

  StoredAddr peer_;
  Kind kind_;
  // The last event hinted that a short read is not the last: see Read.
  bool read_on_ = false;
  bool used_ = false;
  bool write_over_ = false;  // a write failed, or that direction was shut down
};

}  // namespace spliceway
