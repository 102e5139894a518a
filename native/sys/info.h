// What the kernel knows of a socket, as named numbers: which of them there are depends on the
// system and its version. Durations are in milliseconds, rates in bytes a second, sizes in bytes;
// windows and packets are counted in segments.
#pragma once

#include <vector>

#include "sys/result.h"

namespace spliceway::sys {

struct Fact {
  const char* name;
  double value;
  const char* text = nullptr;  // in place of the number
};
using Facts = std::vector<Fact>;

// Of a TCP connection, `state` first. lib/info.ts has their meaning.
Result<Facts> TcpInfo(int fd);
// Of any connection: `unread` bytes to be read, `unsent` ones that the other side has not taken.
Result<Facts> QueueInfo(int fd);
// Of a listening socket: `queued` connections, the `backlog` that limits them, those `dropped`.
Result<Facts> ListenInfo(int fd);

}  // namespace spliceway::sys
