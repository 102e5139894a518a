#include "sys/sockaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace spliceway {
namespace {

constexpr size_t kPathOffset = offsetof(sockaddr_un, sun_path);

// Elsewhere '@' is a letter like any other, as it is to Go, and a name that begins with NUL is an
// unnamed socket's: the BSDs return one at full length.
#ifdef __linux__
constexpr bool kHasAbstractNames = true;
#else
constexpr bool kHasAbstractNames = false;
#endif

// The address family is read through `sockaddr`, the rest through the concrete type: memcpy keeps
// that inside the rules on aliasing and costs nothing.
template <typename T>
T As(const SockAddr& addr) {
  T out{};
  std::memcpy(&out, addr.get(), sizeof(out));
  return out;
}

template <typename T>
void Store(const T& from, sockaddr* to, size_t size) {
  std::memcpy(static_cast<void*>(to), &from, size);
}

}  // namespace

std::optional<SockAddr> SockAddr::Ip(const char* host, uint16_t port, uint32_t scope) {
  SockAddr out;
  sockaddr_in v4{};
  if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    out.size_ = sizeof(v4);
    Store(v4, out.get(), sizeof(v4));
    return out;
  }
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET6, host, &v6.sin6_addr) != 1) return std::nullopt;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_scope_id = scope;
  out.size_ = sizeof(v6);
  Store(v6, out.get(), sizeof(v6));
  return out;
}

std::optional<SockAddr> SockAddr::Unix(std::string_view name) {
  sockaddr_un un{};
  // A path keeps its terminating NUL; an abstract name has none, its length says where it ends.
  const bool abstract = kHasAbstractNames && !name.empty() && name[0] == '@';
  if (name.size() + (abstract ? 0 : 1) > sizeof(un.sun_path)) return std::nullopt;
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, name.data(), name.size());
  SockAddr out;
  out.size_ = static_cast<socklen_t>(kPathOffset + name.size() + (abstract ? 0 : 1));
  if (abstract) un.sun_path[0] = '\0';
  // Without a name; on Linux bind(2) picks one.
  if (name.empty()) out.size_ = kPathOffset;
  Store(un, out.get(), sizeof(un));
  return out;
}

bool SockAddr::is_ip() const { return family() == AF_INET || family() == AF_INET6; }

bool SockAddr::is_wildcard() const {
  if (family() == AF_INET) return As<sockaddr_in>(*this).sin_addr.s_addr == htonl(INADDR_ANY);
  if (family() != AF_INET6) return false;
  const auto v6 = As<sockaddr_in6>(*this);
  return IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr);
}

std::string SockAddr::Host() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    const auto v4 = As<sockaddr_in>(*this);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
  } else if (family() == AF_INET6) {
    const auto v6 = As<sockaddr_in6>(*this);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof(text));
    } else {
      inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    }
  }
  return text;
}

uint16_t SockAddr::Port() const {
  if (family() == AF_INET) return ntohs(As<sockaddr_in>(*this).sin_port);
  if (family() == AF_INET6) return ntohs(As<sockaddr_in6>(*this).sin6_port);
  return 0;
}

uint32_t SockAddr::Scope() const {
  return family() == AF_INET6 ? As<sockaddr_in6>(*this).sin6_scope_id : 0;
}

std::span<const uint8_t> SockAddr::HostBytes() const {
  const auto* bytes = reinterpret_cast<const uint8_t*>(storage_.bytes);
  if (family() == AF_INET) return {bytes + offsetof(sockaddr_in, sin_addr), 4};
  const std::span<const uint8_t> v6(bytes + offsetof(sockaddr_in6, sin6_addr), 16);
  const auto addr = As<sockaddr_in6>(*this);
  return IN6_IS_ADDR_V4MAPPED(&addr.sin6_addr) ? v6.subspan(12) : v6;
}

SockAddr SockAddr::FromHost(std::span<const uint8_t> bytes, uint16_t port, uint32_t scope) {
  SockAddr out;
  if (bytes.size() == 4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
    out.size_ = sizeof(v4);
    Store(v4, out.get(), sizeof(v4));
    return out;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_scope_id = scope;
  std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
  out.size_ = sizeof(v6);
  Store(v6, out.get(), sizeof(v6));
  return out;
}

std::string SockAddr::Path() const {
  if (family() != AF_UNIX || size_ <= kPathOffset) return "";
  const auto un = As<sockaddr_un>(*this);
  // A path without room for its NUL is reported one byte longer than sockaddr_un: unix(7), BUGS.
  const size_t length = std::min(size_ - kPathOffset, sizeof(un.sun_path));
  if (un.sun_path[0] != '\0') return std::string(un.sun_path, strnlen(un.sun_path, length));
  if (!kHasAbstractNames) return "";
  std::string name(un.sun_path, length);
  name[0] = '@';
  return name;
}

SockAddr SockAddr::FromBytes(const void* bytes, size_t size) {
  SockAddr out;
  out.size_ = static_cast<socklen_t>(std::min(size, sizeof(out.storage_)));
  std::memcpy(out.storage_.bytes, bytes, out.size_);
  return out;
}

void StoredAddr::Store(const SockAddr& addr) {
  ip_size_ = 0;
  other_.reset();
  if (addr.is_ip() && addr.size() <= sizeof(ip_)) {
    ip_size_ = static_cast<uint8_t>(addr.size());
    std::memcpy(ip_, addr.get(), addr.size());
  } else if (addr.size() > kPathOffset) {
    other_ = std::make_unique<SockAddr>(addr);
  }
}

SockAddr StoredAddr::Load() const { return other_ ? *other_ : SockAddr::FromBytes(ip_, ip_size_); }

}  // namespace spliceway
