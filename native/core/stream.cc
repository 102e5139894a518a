#include "core/stream.h"

#include <cerrno>

#include "core/reactor.h"
#include "sys/io.h"

namespace spliceway {

Status Stream::Start() {
  half(Side::kWrite).ready = true;  // a new socket takes bytes; only EAGAIN says otherwise
  return Register(kReadable);
}

Status Stream::StartWith(Pollable* other) {
  half(Side::kWrite).ready = true;
  return TakeOver(other, kReadable);
}

Status Stream::StartOn(OwnFd* fd) {
  half(Side::kWrite).ready = true;
  return TakeIn(fd, kReadable);
}

void Stream::OnReady(uint32_t ready) {
  if ((ready & (kReadClosed | kHangup | kFailed | kPriority)) != 0) read_on_ = true;
  Pollable::OnReady(ready);
}

int32_t Stream::Begin(Side side, Call call) {
  const int32_t refused = Check(side, call);
  if (refused == 0) used_ = true;
  return refused;
}

// After a short read the queue of a TCP socket is empty and an edge will announce more, so the read
// that would only say EAGAIN is saved. That edge does not come when the event that was taken
// already told of something behind the data: a FIN, a reset, or an urgent byte (at whose mark a
// read stops short). On Unix sockets a read also stops short at a message that carries descriptors.
// In all of those cases only EAGAIN proves the queue empty. Each was seen to hang a reader that
// assumed more.
int64_t Stream::Read(void* p, size_t n, Call call) {
  if (const int32_t refused = Begin(Side::kRead, call)) return refused;
  Half& h = half(Side::kRead);
  if (!h.ready) return kAgain;
  const int64_t got = Receive(p, n);
  if (got == kAgain) {
    ReadBlocked();
  } else if (got > 0 && static_cast<size_t>(got) < n && kind_ == Kind::kTcp && !read_on_) {
    h.ready = false;
  }
  return got;
}

int64_t Stream::Receive(void* p, size_t n) const {
  return kind_ == Kind::kFifo ? sys::ReadFile(fd(), p, n) : sys::Receive(fd(), p, n);
}

// No edge was taken for the bytes that stay: the stream is as ready as it was, until EAGAIN.
int64_t Stream::Peek(void* p, size_t n, Call call) {
  if (const int32_t refused = Check(Side::kRead, call)) return refused;
  used_ = true;
  if (!half(Side::kRead).ready) return kAgain;
  const int64_t got = sys::Peek(fd(), p, n);
  if (got == kAgain) ReadBlocked();
  return got;
}

int64_t Stream::Write(const void* p, size_t n, Call call) {
  return WriteWith(call, [&] {
    return kind_ == Kind::kFifo ? sys::WriteFile(fd(), p, n) : sys::Send(fd(), p, n);
  });
}

int64_t Stream::WriteVector(const iovec* slices, size_t count, Call call) {
  // The rest of the slices is for the next call, as after any short write.
  if (kind_ == Kind::kFifo && count > 0) return Write(slices->iov_base, slices->iov_len, call);
  return WriteWith(call, [&] { return sys::SendVector(fd(), slices, count); });
}

template <typename Send>
int64_t Stream::WriteWith(Call call, Send send) {
  if (const int32_t refused = Begin(Side::kWrite, call)) return refused;
  if (!half(Side::kWrite).ready) return kAgain;
  const int64_t sent = send();
  if (sent != kAgain) {
    if (sent < 0) write_over_ = true;
    return sent;
  }
  const Status status = WriteBlocked();
  return status.ok() ? kAgain : -status.error().number;
}

int64_t Stream::SendFds(const void* p, size_t n, std::span<const int32_t> fds, Call call) {
  return WriteWith(call, [&] { return sys::SendFds(fd(), p, n, fds); });
}

sys::ReceivedFds Stream::ReceiveFds(void* p, size_t n, std::span<int32_t> fds, Call call) {
  if (const int32_t refused = Check(Side::kRead, call)) return {refused, 0, false};
  used_ = true;
  if (!half(Side::kRead).ready) return {kAgain, 0, false};
  const auto received = sys::ReceiveFds(fd(), p, n, fds);
  if (received.bytes == kAgain) ReadBlocked();
  return received;
}

void Stream::ReadBlocked() { half(Side::kRead).ready = read_on_ = false; }

// Writability is asked for from the first full buffer on and not before: most connections never
// fill one, and each would get a useless event when it is registered. Modify reports room that came
// since.
Status Stream::WriteBlocked() {
  half(Side::kWrite).ready = false;
  return AddInterest(kWritable);
}

int64_t Stream::Rest(bool ask) {
  for (const Side side : {Side::kRead, Side::kWrite}) {
    if (const int32_t refused = Check(side, Call::kNew)) return refused;
    SetDeadline(side, kNever);
  }
  if (write_over_) return -EPIPE;
  if (ask || half(Side::kRead).ready) {
    char byte;
    const int64_t got = sys::Peek(fd(), &byte, 1);
    if (got != kAgain) return got;
    ReadBlocked();
  }
  SetAwait(Side::kRead, Await::kGuard);
  return kAgain;
}

Status Stream::Shutdown(sys::ShutdownHow how) {
  Status status = sys::Shutdown(fd(), how);
  if (!status.ok()) return status;
  // The kernel raises no edge for the direction that we close ourselves.
  if (how != sys::ShutdownHow::kRead) {
    write_over_ = true;
    WakeUp(Side::kWrite);
  }
  if (how != sys::ShutdownHow::kWrite) {
    read_on_ = true;
    WakeUp(Side::kRead);
  }
  return status;
}

}  // namespace spliceway
