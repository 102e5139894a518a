// Socket options by what they mean; the numbers differ from system to system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "sys/result.h"

namespace spliceway::sys {

// Go's net.KeepAliveConfig in seconds; a negative field leaves the kernel's value alone.
struct KeepAlive {
  int idle = 15;
  int interval = 15;
  int count = 9;
};

Status SetReuseAddr(int fd);
Status SetReusePort(int fd);
Status SetV6Only(int fd, bool on);
Status SetBroadcast(int fd, bool on);

Status SetNoDelay(int fd, bool on);
Status SetKeepAlive(int fd, bool on);
Status SetKeepAliveConfig(int fd, const KeepAlive& config);
// seconds < 0: close in the background (the default); 0: reset; > 0: close(2) waits that long.
Status SetLinger(int fd, int seconds);
Status SetReadBuffer(int fd, int bytes);
Status SetWriteBuffer(int fd, int bytes);
// Holds segments that are not full back until it is turned off.
Status SetCork(int fd, bool on);
// How much of what was taken from the sender may not have been sent yet: no more is taken beyond
// it.
Status SetUnsentLimit(int fd, int bytes);
// How long sent data may stay unacknowledged, in milliseconds; 0 is the system's own limit.
Status SetUserTimeout(int fd, int milliseconds);

Result<int> GetInt(int fd, int level, int name);
Status SetInt(int fd, int level, int name, int value);
// For options that are no int: how many bytes of `into` the kernel filled.
Result<size_t> GetBytes(int fd, int level, int name, std::span<uint8_t> into);
Status SetBytes(int fd, int level, int name, std::span<const uint8_t> value);

}  // namespace spliceway::sys
