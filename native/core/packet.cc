#include "core/packet.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/reactor.h"

namespace spliceway {
namespace {

using sys::Datagram;

size_t SizeOf(const Datagram& datagram) { return datagram.slices[0].iov_len; }

bool SameDestination(const SockAddr& a, const SockAddr& b) {
  return a.size() == b.size() && std::memcmp(a.get(), b.get(), a.size()) == 0;
}

// How many datagrams from the first one on can be cut from one piece: all of one size, but for the
// last, which may be shorter.
size_t TrainLength(std::span<const Datagram> datagrams) {
  const size_t size = SizeOf(datagrams[0]);
  const size_t longest = std::min(datagrams.size(), sys::kMaxSegments);
  size_t total = size;
  size_t length = 1;
  while (length < longest && SizeOf(datagrams[length - 1]) == size) {
    const size_t next = SizeOf(datagrams[length]);
    if (next == 0 || next > size || total + next > sys::kMaxSegmented) break;
    if (!SameDestination(datagrams[length].addr, datagrams[0].addr)) break;
    total += next;
    ++length;
  }
  return length;
}

}  // namespace

Status PacketSocket::Start() {
  half(Side::kWrite).ready = true;  // a new socket takes datagrams; only EAGAIN says otherwise
  return Register(kReadable);
}

Status PacketSocket::StartWith(Pollable* other) {
  half(Side::kWrite).ready = true;
  return TakeOver(other, kReadable);
}

Status PacketSocket::StartOn(OwnFd* fd) {
  half(Side::kWrite).ready = true;
  return TakeIn(fd, kReadable);
}

// Nothing but EAGAIN proves the queue empty: how much of it one datagram was says nothing, and an
// error that waits behind it raises no edge of its own.
template <typename Try>
int64_t PacketSocket::ReceiveWith(Call call, Try receive) {
  if (const int32_t refused = Check(Side::kRead, call)) return refused;
  if (!half(Side::kRead).ready) return kAgain;
  const int64_t got = receive();
  if (got == kAgain) half(Side::kRead).ready = false;
  return got;
}

int64_t PacketSocket::Receive(void* p, size_t n, SockAddr* from, Call call) {
  return ReceiveWith(call, [&] { return sys::ReceiveFrom(fd(), p, n, from); });
}

int64_t PacketSocket::Receive(Datagram* datagram, Call call) {
  return ReceiveWith(call, [&] { return sys::ReceiveDatagram(fd(), datagram); });
}

int64_t PacketSocket::ReceiveBatch(std::span<Datagram> datagrams, Call call) {
  return ReceiveWith(call, [&] { return sys::ReceiveDatagrams(fd(), datagrams); });
}

// Writability is asked for from the first full buffer on: docs/decisions/002.
template <typename Try>
int64_t PacketSocket::SendWith(Call call, Try send) {
  if (const int32_t refused = Check(Side::kWrite, call)) return refused;
  if (!half(Side::kWrite).ready) return kAgain;
  const int64_t sent = send();
  if (sent != kAgain) return sent;
  half(Side::kWrite).ready = false;
  const Status status = AddInterest(kWritable);
  return status.ok() ? kAgain : -status.error().number;
}

int64_t PacketSocket::Send(const void* p, size_t n, const SockAddr* to, Call call) {
  return SendWith(call, [&] { return sys::SendTo(fd(), p, n, to); });
}

int64_t PacketSocket::Send(const Datagram& datagram, Call call) {
  return SendWith(call, [&] { return sys::SendDatagram(fd(), datagram); });
}

int64_t PacketSocket::SendBatch(std::span<const Datagram> datagrams, Call call) {
  return SendWith(call, [&] {
    return CanSegment() ? SendTrains(datagrams) : sys::SendDatagrams(fd(), datagrams);
  });
}

bool PacketSocket::CanSegment() {
  if (segmenting_ == Segmenting::kUnknown) {
    segmenting_ = sys::CanSegment(fd()) ? Segmenting::kYes : Segmenting::kNo;
  }
  return segmenting_ == Segmenting::kYes;
}

int64_t PacketSocket::SendTrains(std::span<const Datagram> datagrams) {
  std::array<Datagram, sys::kMaxDatagrams> trains;
  std::array<uint8_t, sys::kMaxDatagrams> lengths;
  const size_t most = std::min(datagrams.size(), sys::kMaxDatagrams);
  size_t count = 0;
  for (size_t i = 0; i < most; i += lengths[count++]) {
    const size_t length = TrainLength(datagrams.subspan(i, most - i));
    trains[count].addr = datagrams[i].addr;
    trains[count].slices = {datagrams[i].slices.data(), length};
    trains[count].segment = length > 1 ? static_cast<uint16_t>(SizeOf(datagrams[i])) : 0;
    lengths[count] = static_cast<uint8_t>(length);
  }
  const int64_t sent = sys::SendDatagrams(fd(), {trains.data(), count});
  if (sent < 0 && trains[0].segment != 0 && sys::SegmentingFailed(static_cast<int>(-sent))) {
    segmenting_ = Segmenting::kNo;
    return sys::SendDatagrams(fd(), datagrams);
  }
  int64_t datagrams_sent = sent < 0 ? sent : 0;
  for (int64_t i = 0; i < sent; ++i) datagrams_sent += lengths[static_cast<size_t>(i)];
  return datagrams_sent;
}

Status PacketSocket::Shutdown(sys::ShutdownHow how) {
  const Status status = sys::Shutdown(fd(), how);
  if (!status.ok()) return status;
  // The kernel raises no edge for the direction that we close ourselves.
  if (how != sys::ShutdownHow::kRead) WakeUp(Side::kWrite);
  if (how != sys::ShutdownHow::kWrite) WakeUp(Side::kRead);
  return status;
}

}  // namespace spliceway
