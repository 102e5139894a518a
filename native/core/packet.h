// A socket of datagrams: UDP, Unix datagrams or raw IP, connected to one peer or to none.
//
// Like a Stream it is only ever called with memory that is good for the length of the call. Unlike
// one it has no end and no half-sent messages: a datagram goes or comes whole, or not at all, and
// an error (a refusal that the peer's machine sent back, say) is told once and leaves the socket as
// it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "core/pollable.h"
#include "sys/datagram.h"
#include "sys/sockaddr.h"
#include "sys/socket.h"

namespace spliceway {

class PacketSocket final : public Pollable {
 public:
  static constexpr Type kType = Type::kPacketSocket;

  PacketSocket(Reactor* reactor, OwnFd fd) : Pollable(kType, reactor, std::move(fd)) {}

  // Registers a new descriptor; readiness that is there already is reported as an edge.
  Status Start();
  // The same with the descriptor of another handle, which is left without one.
  Status StartWith(Pollable* other);
  // The same with a descriptor that others made and may hold too. On an error it stays theirs.
  Status StartOn(OwnFd* fd);

  // The size of one datagram, which may be 0, or of as much of it as there is room for; a negative
  // errno; or a code of core/status.h. After kAgain, await kRead. `from` has no size where the
  // sender has no name.
  int64_t Receive(void* p, size_t n, SockAddr* from, Call call);
  // The same with ancillary data, and whether its end was lost.
  int64_t Receive(sys::Datagram* datagram, Call call);
  // As many as there are, up to sys::kMaxDatagrams: how many. After SetCoalescing each may be
  // several that came from one sender: sys::Datagram::segment. Nothing else can be told of them
  // then.
  int64_t ReceiveBatch(std::span<sys::Datagram> datagrams, Call call);

  void SetCoalescing(bool on) { sys::SetCoalescing(fd(), on); }

  // `to` is null for the peer of a connected socket. After kAgain, await kWrite.
  int64_t Send(const void* p, size_t n, const SockAddr* to, Call call);
  int64_t Send(const sys::Datagram& datagram, Call call);
  // How many the kernel took, up to sys::kMaxDatagrams. Each has one slice, and the slices lie one
  // after the other. Neighbours of one size and one destination go to a kernel that can cut them in
  // one piece, which is the same to their receiver and costs a fraction.
  int64_t SendBatch(std::span<const sys::Datagram> datagrams, Call call);

  Status Shutdown(sys::ShutdownHow how);

 private:
  enum class Segmenting : uint8_t { kUnknown, kYes, kNo };

  template <typename Try>
  int64_t ReceiveWith(Call call, Try receive);
  template <typename Try>
  int64_t SendWith(Call call, Try send);
  bool CanSegment();
  int64_t SendTrains(std::span<const sys::Datagram> datagrams);

  Segmenting segmenting_ = Segmenting::kUnknown;
};

}  // namespace spliceway
