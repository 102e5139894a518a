#include "sys/fault.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "sys/call.h"
#ifdef __linux__
#include "sys/call_linux.h"
#endif

namespace spliceway::sys::fault {
namespace {

std::mutex guard;  // of every script's steps
std::atomic<Script*> in_force = nullptr;

}  // namespace

// What the script says of one call. Without one, that it be made as it is.
struct Taken {
  Taken(Call call, int fd) {
    if (in_force.load() == nullptr) return;
    const std::lock_guard lock(guard);
    if (Script* script = in_force.load()) Take(script, call, fd);
  }

  bool failed() const { return error != 0; }
  // errno is set last, so that nothing comes in between.
  int Fail() const {
    errno = error;
    return -1;
  }
  size_t Shorten(size_t n) const { return std::min(n, at_most); }

  int error = 0;
  size_t at_most = SIZE_MAX;

 private:
  void Take(Script* script, Call call, int fd) {
    for (Script::Steps& s : script->list_) {
      if (s.call_ != call || (s.fd_ != kAnyFd && s.fd_ != fd) || s.steps_.empty()) continue;
      error = s.steps_.front().error;
      at_most = s.steps_.front().at_most;
      s.steps_.pop_front();
      return;
    }
  }
};

Script::Script() {
  Script* none = nullptr;
  if (!in_force.compare_exchange_strong(none, this)) std::abort();  // a second one at a time
}

Script::~Script() {
  const std::lock_guard lock(guard);
  in_force = nullptr;
}

Script::Steps& Script::On(Call call, int fd) {
  const std::lock_guard lock(guard);
  list_.push_back(Steps(call, fd));
  return list_.back();
}

bool Script::done() const {
  const std::lock_guard lock(guard);
  return std::all_of(list_.begin(), list_.end(), [](const Steps& s) { return s.steps_.empty(); });
}

Script::Steps& Script::Steps::ShortenTo(size_t n) { return Add({0, n}, 1); }
Script::Steps& Script::Steps::Then(int error, int times) { return Add({error, 0}, times); }
Script::Steps& Script::Steps::Pass(int times) { return Add({0, SIZE_MAX}, times); }

Script::Steps& Script::Steps::Add(Step step, int times) {
  const std::lock_guard lock(guard);
  steps_.insert(steps_.end(), static_cast<size_t>(times), step);
  return *this;
}

}  // namespace spliceway::sys::fault

namespace spliceway::sys::call {

using fault::Taken;

ssize_t recv(int fd, void* p, size_t n, int flags) {
  const Taken step(fault::kRecv, fd);
  return step.failed() ? step.Fail() : ::recv(fd, p, step.Shorten(n), flags);
}

ssize_t send(int fd, const void* p, size_t n, int flags) {
  const Taken step(fault::kSend, fd);
  return step.failed() ? step.Fail() : ::send(fd, p, step.Shorten(n), flags);
}

ssize_t read(int fd, void* p, size_t n) {
  const Taken step(fault::kRead, fd);
  return step.failed() ? step.Fail() : ::read(fd, p, step.Shorten(n));
}

ssize_t write(int fd, const void* p, size_t n) {
  const Taken step(fault::kWrite, fd);
  return step.failed() ? step.Fail() : ::write(fd, p, step.Shorten(n));
}

int connect(int fd, const sockaddr* to, socklen_t size) {
  const Taken step(fault::kConnect, fd);
  return step.failed() ? step.Fail() : ::connect(fd, to, size);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  const Taken step(fault::kSendmsg, fd);
  if (step.failed()) return step.Fail();
  std::vector<iovec> slices(message->msg_iov, message->msg_iov + message->msg_iovlen);
  size_t room = step.at_most;
  for (iovec& slice : slices) {
    slice.iov_len = std::min(slice.iov_len, room);
    room -= slice.iov_len;
  }
  msghdr shortened = *message;
  shortened.msg_iov = slices.data();
  return ::sendmsg(fd, &shortened, flags);
}

// A datagram comes and goes whole: these are made as they are, or fail.
ssize_t recvfrom(int fd, void* p, size_t n, int flags, sockaddr* from, socklen_t* size) {
  const Taken step(fault::kRecvfrom, fd);
  return step.failed() ? step.Fail() : ::recvfrom(fd, p, n, flags, from, size);
}

ssize_t sendto(int fd, const void* p, size_t n, int flags, const sockaddr* to, socklen_t size) {
  const Taken step(fault::kSendto, fd);
  return step.failed() ? step.Fail() : ::sendto(fd, p, n, flags, to, size);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  const Taken step(fault::kRecvmsg, fd);
  return step.failed() ? step.Fail() : ::recvmsg(fd, message, flags);
}

#ifdef __linux__

int accept4(int fd, sockaddr* peer, socklen_t* size, int flags) {
  const Taken step(fault::kAccept, fd);
  return step.failed() ? step.Fail() : ::accept4(fd, peer, size, flags);
}

ssize_t splice(int from, off64_t* from_offset, int to, off64_t* to_offset, size_t n,
               unsigned flags) {
  const Taken step(fault::kSplice, from);
  if (step.failed()) return step.Fail();
  return ::splice(from, from_offset, to, to_offset, step.Shorten(n), flags);
}

ssize_t sendfile(int to, int from, off_t* offset, size_t n) {
  const Taken step(fault::kSendfile, from);
  return step.failed() ? step.Fail() : ::sendfile(to, from, offset, step.Shorten(n));
}

int pipe2(int fds[2], int flags) {
  const Taken step(fault::kPipe, fault::kAnyFd);
  return step.failed() ? step.Fail() : ::pipe2(fds, flags);
}

// Shortened in datagrams.
int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  const Taken step(fault::kRecvmmsg, fd);
  if (step.failed()) return static_cast<int>(step.Fail());
  return ::recvmmsg(fd, messages, static_cast<unsigned>(step.Shorten(count)), flags, nullptr);
}

int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  const Taken step(fault::kSendmmsg, fd);
  if (step.failed()) return static_cast<int>(step.Fail());
  return ::sendmmsg(fd, messages, static_cast<unsigned>(step.Shorten(count)), flags);
}

#endif

}  // namespace spliceway::sys::call
