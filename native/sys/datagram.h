// Sending and receiving datagrams, one or many in a system call. Results are the kernel's: a count,
// or a negative errno. EINTR never comes out, and a peer that has gone never raises SIGPIPE.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "sys/sockaddr.h"

namespace spliceway::sys {

// One datagram on its way. The memory is the caller's, for the length of a call.
struct Datagram {
  std::span<iovec> slices;
  // Received: the sender, or nothing if it has no name. To send: the destination, or nothing on a
  // connected socket.
  SockAddr addr;
  // Ancillary data. Received: room for it, and then the part that was filled.
  std::span<uint8_t> control;
  int flags = 0;           // received: the kernel's own
  bool truncated = false;  // received: its end found no room
  size_t size = 0;         // received
  // To send: the slices are cut into datagrams of that size (see CanSegment). Received by
  // ReceiveDatagrams: they are so many datagrams of one sender, each of that size but for the last,
  // which may be shorter (see SetCoalescing). 0: they are one.
  uint16_t segment = 0;
};

// From or to one stretch of memory. `to` may be null.
int64_t ReceiveFrom(int fd, void* p, size_t n, SockAddr* from);
int64_t SendTo(int fd, const void* p, size_t n, const SockAddr* to);

// With ancillary data and flags: the size of the payload. Descriptors that come with it are
// close-on-exec where the system can do that.
int64_t ReceiveDatagram(int fd, Datagram* datagram);
int64_t SendDatagram(int fd, const Datagram& datagram);

// As many as there are, or as the kernel takes: how many. An error is told only if it came first.
int64_t ReceiveDatagrams(int fd, std::span<Datagram> datagrams);
int64_t SendDatagrams(int fd, std::span<const Datagram> datagrams);

// How many datagrams one call of those handles at most.
inline constexpr size_t kMaxDatagrams = 64;

// Whether the kernel cuts what this socket is given in one piece (UDP_SEGMENT). A route may refuse
// it all the same: SegmentingFailed.
bool CanSegment(int fd);
// Lets the kernel hand over datagrams of one sender in one piece (UDP_GRO). Only ReceiveDatagrams
// can tell them apart. Where a system cannot do it, nothing happens.
void SetCoalescing(int fd, bool on);
// Whether datagrams that failed with this are worth another try without segments.
bool SegmentingFailed(int error);
// What it takes in one piece, in datagrams and in bytes.
inline constexpr size_t kMaxSegments = 64;
inline constexpr size_t kMaxSegmented = 65'000;

}  // namespace spliceway::sys
