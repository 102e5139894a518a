#include "sys/sockopt.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

namespace spliceway::sys {

#if defined(TCP_KEEPIDLE)
constexpr int kKeepIdle = TCP_KEEPIDLE;
#else
constexpr int kKeepIdle = TCP_KEEPALIVE;  // macOS
#endif

#if defined(TCP_USER_TIMEOUT)
constexpr int kUserTimeout = TCP_USER_TIMEOUT;
constexpr int kUserTimeoutUnit = 1;  // milliseconds
#elif defined(TCP_RXT_CONNDROPTIME)
constexpr int kUserTimeout = TCP_RXT_CONNDROPTIME;
constexpr int kUserTimeoutUnit = 1000;  // macOS counts in seconds
#endif

#if defined(TCP_CORK)
constexpr int kCork = TCP_CORK;
#else
constexpr int kCork = TCP_NOPUSH;       // macOS and the BSDs
#endif

Status SetInt(int fd, int level, int name, int value) {
  if (setsockopt(fd, level, name, &value, sizeof(value)) == 0) return {};
  return Error{"setsockopt", errno};
}

Result<int> GetInt(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof(value);
  if (getsockopt(fd, level, name, &value, &size) == 0) return value;
  return Error{"getsockopt", errno};
}

Result<size_t> GetBytes(int fd, int level, int name, std::span<uint8_t> into) {
  auto size = static_cast<socklen_t>(into.size());
  if (getsockopt(fd, level, name, into.data(), &size) == 0) return size_t{size};
  return Error{"getsockopt", errno};
}

Status SetBytes(int fd, int level, int name, std::span<const uint8_t> value) {
  const auto size = static_cast<socklen_t>(value.size());
  if (setsockopt(fd, level, name, value.data(), size) == 0) return {};
  return Error{"setsockopt", errno};
}

Status SetReuseAddr(int fd) { return SetInt(fd, SOL_SOCKET, SO_REUSEADDR, 1); }
Status SetReusePort(int fd) { return SetInt(fd, SOL_SOCKET, SO_REUSEPORT, 1); }
Status SetV6Only(int fd, bool on) { return SetInt(fd, IPPROTO_IPV6, IPV6_V6ONLY, on); }
Status SetBroadcast(int fd, bool on) { return SetInt(fd, SOL_SOCKET, SO_BROADCAST, on); }
Status SetNoDelay(int fd, bool on) { return SetInt(fd, IPPROTO_TCP, TCP_NODELAY, on); }
Status SetKeepAlive(int fd, bool on) { return SetInt(fd, SOL_SOCKET, SO_KEEPALIVE, on); }

Status SetKeepAliveConfig(int fd, const KeepAlive& config) {
  const struct {
    int name, value;
  } settings[] = {
      {kKeepIdle, config.idle}, {TCP_KEEPINTVL, config.interval}, {TCP_KEEPCNT, config.count}};
  for (const auto& s : settings) {
    if (s.value < 0) continue;
    if (Status status = SetInt(fd, IPPROTO_TCP, s.name, s.value); !status.ok()) return status;
  }
  return {};
}

Status SetLinger(int fd, int seconds) {
  linger value{};
  value.l_onoff = seconds >= 0;
  value.l_linger = seconds >= 0 ? seconds : 0;
#ifdef SO_LINGER_SEC
  constexpr int kName = SO_LINGER_SEC;  // macOS counts SO_LINGER itself in clock ticks
#else
  constexpr int kName = SO_LINGER;
#endif
  if (setsockopt(fd, SOL_SOCKET, kName, &value, sizeof(value)) == 0) return {};
  return Error{"setsockopt", errno};
}

Status SetReadBuffer(int fd, int bytes) { return SetInt(fd, SOL_SOCKET, SO_RCVBUF, bytes); }
Status SetWriteBuffer(int fd, int bytes) { return SetInt(fd, SOL_SOCKET, SO_SNDBUF, bytes); }

Status SetCork(int fd, bool on) { return SetInt(fd, IPPROTO_TCP, kCork, on ? 1 : 0); }

Status SetUnsentLimit(int fd, int bytes) {
#ifdef TCP_NOTSENT_LOWAT
  return SetInt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, bytes);
#else
  (void)fd, (void)bytes;
  return Error{"setsockopt", ENOPROTOOPT};
#endif
}

Status SetUserTimeout(int fd, int milliseconds) {
#if defined(TCP_USER_TIMEOUT) || defined(TCP_RXT_CONNDROPTIME)
  // Rounded up, so that a timeout shorter than the system's unit does not come out as "none".
  const int units = (milliseconds + kUserTimeoutUnit - 1) / kUserTimeoutUnit;
  return SetInt(fd, IPPROTO_TCP, kUserTimeout, units);
#else
  (void)fd, (void)milliseconds;
  return Error{"setsockopt", ENOPROTOOPT};
#endif
}

}  // namespace spliceway::sys
