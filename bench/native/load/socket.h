// Sockets as this program uses them: non-blocking, and waited for by spinning.
#pragma once

#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace bench {

// Owns one descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { Close(); }

  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

// Starts to connect.
Fd StartConnect(const sockaddr_in& to);

// The same from 127.0.0.(2 + address), so that more connections than one address has ports are
// possible, and waits until it is connected.
Fd ConnectFrom(int address, const sockaddr_in& to);

// Ends the process where a connection that was started has failed.
void CheckConnected(int fd);

// Closing sends RST: the port is free again at once instead of after a minute.
void ResetOnClose(int fd);

// recv() and send() with what would block as 0 and the end of the stream as a failure: no server
// here ever ends a connection by itself.
int64_t Receive(int fd, void* p, size_t n, int flags = 0);
int64_t Send(int fd, const void* p, size_t n);

// An epoll set that is asked and never waited on: a server that has to wake a sleeping core pays
// for that in its own CPU time, and the figures would show the load generator's habits.
class Poller {
 public:
  static constexpr int kMaxEvents = 256;

  Poller();
  void Add(int fd, uint32_t events, uint64_t data);

  // Calls on_event(data, events) for what is ready now.
  template <typename OnEvent>
  void Ask(OnEvent on_event) {
    const int count = epoll_wait(epoll_.get(), events_, kMaxEvents, 0);
    for (int i = 0; i < count; i++) on_event(events_[i].data.u64, events_[i].events);
  }

 private:
  Fd epoll_;
  epoll_event events_[kMaxEvents];
};

}  // namespace bench
