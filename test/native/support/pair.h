// Connected sockets, and waiting for one of their conditions.
#pragma once

#include <poll.h>

#include <cstdint>
#include <string>

#include "sys/fd.h"
#include "sys/sockaddr.h"
#include "sys/socket.h"

namespace spliceway::test {

// The two ends of a connection; non-blocking, as all sockets here.
struct Pair {
  OwnFd near;
  OwnFd far;
};

Pair TcpPair();
Pair UnixPair(sys::SocketType type = sys::SocketType::kStream);

// A socket that listens on a free port of 127.0.0.1, and its address.
struct Listening {
  OwnFd fd;
  SockAddr addr;
};
Listening ListenTcp(int backlog = 16);
// The same in Linux's abstract namespace, under a name that the kernel picks.
Listening ListenUnix(int backlog = 16);

// A connection to that address, made before this returns.
OwnFd DialBlocking(const SockAddr& addr);

// Longer than anything here takes on a machine that is busy with something else.
inline constexpr int kPatienceMs = 10'000;

// Whether poll(2) reports one of the events in time; 0 asks once.
bool Await(int fd, short events, int timeout_ms = kPatienceMs);
inline bool AwaitReadable(int fd) { return Await(fd, POLLIN); }
inline bool IsReadable(int fd) { return Await(fd, POLLIN, 0); }

// Sends all of it, waiting for room as needed; whether that worked.
bool SendAll(int fd, const std::string& bytes);
// The next bytes, waited for; empty at the end of the stream.
std::string ReceiveSome(int fd);
// Fills the connection until the kernel takes no more. How many bytes that were.
size_t FillUp(int fd);
// Takes all that is there and comes before the end or `at_least` is reached.
size_t DrainAtLeast(int fd, size_t at_least);

// Closes with a reset instead of a FIN.
void Reset(OwnFd fd);

}  // namespace spliceway::test
