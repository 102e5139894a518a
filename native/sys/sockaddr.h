// A socket address as a value.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace spliceway {

// Room for IPv4, IPv6 and the longest Unix path (108 bytes on Linux, 104 on the BSDs).
class SockAddr {
 public:
  SockAddr() = default;

  // `host` is a numeric address; nothing is returned when it is not.
  static std::optional<SockAddr> Ip(const char* host, uint16_t port, uint32_t scope);
  // A leading '@' names Linux's abstract namespace; nothing is returned when the name is too long.
  static std::optional<SockAddr> Unix(std::string_view name);

  int family() const { return storage_.base.sa_family; }
  bool is_ip() const;
  bool is_wildcard() const;

  std::string Host() const;  // IPv4-mapped addresses come out as plain IPv4, as in Go
  uint16_t Port() const;
  uint32_t Scope() const;    // interface index of a link-local IPv6 address, or 0
  std::string Path() const;  // "@name" for the abstract namespace, "" for an unnamed socket

  // The 4 or 16 bytes of the IP address, as they stand in packets; IPv4-mapped ones are 4.
  std::span<const uint8_t> HostBytes() const;
  // The address that has those bytes.
  static SockAddr FromHost(std::span<const uint8_t> bytes, uint16_t port, uint32_t scope);

  // The address whose bytes these are, as the kernel wrote them.
  static SockAddr FromBytes(const void* bytes, size_t size);

  const sockaddr* get() const { return &storage_.base; }
  sockaddr* get() { return &storage_.base; }
  socklen_t size() const { return size_; }
  // For calls that fill in an address: pass get() and this, which starts as the whole room.
  socklen_t* room() {
    size_ = sizeof(storage_);
    return &size_;
  }

 private:
  union Storage {
    sockaddr base;
    uint64_t align;
    char bytes[112];
  };
  Storage storage_{};
  socklen_t size_ = 0;
};

// A SockAddr at rest: 40 bytes for the IP address that nearly every connection has, more only for a
// Unix path.
class StoredAddr {
 public:
  void Store(const SockAddr& addr);
  SockAddr Load() const;

 private:
  char ip_[28] = {};  // sockaddr_in or sockaddr_in6
  uint8_t ip_size_ = 0;
  std::unique_ptr<SockAddr> other_;
};

}  // namespace spliceway
