// Ownership of one file descriptor.
#pragma once

#include <utility>

namespace spliceway {

// Closes its descriptor exactly once. close(2) is never retried: on Linux the descriptor is gone
// even when the call reports EINTR, and a second close could hit a number reused by another thread.
class OwnFd {
 public:
  OwnFd() = default;
  explicit OwnFd(int fd) : fd_(fd) {}
  OwnFd(OwnFd&& other) noexcept : fd_(other.Release()) {}
  OwnFd& operator=(OwnFd&& other) noexcept {
    Reset(other.Release());
    return *this;
  }
  ~OwnFd() { Reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

  int Release() { return std::exchange(fd_, -1); }
  void Reset(int fd = -1);

 private:
  int fd_ = -1;
};

}  // namespace spliceway
