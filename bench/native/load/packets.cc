#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "clock.h"
#include "fail.h"
#include "histogram.h"
#include "modes.h"
#include "pattern.h"
#include "slices.h"
#include "socket.h"

namespace bench {
namespace {

#ifndef UDP_GRO
constexpr int UDP_GRO = 104;
#endif

// A connected UDP socket that keeps a number of datagrams on their way to a server and back. On the
// loopback interface none is lost or overtaken as long as no buffer is full, so they are expected
// back in their order.
class Peer {
 public:
  Peer(const Options& options, const Pattern& pattern, int number)
      : options_(options),
        pattern_(pattern),
        number_(number),
        fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
        sent_at_(static_cast<size_t>(options.in_flight)),
        buffer_(64 * 1024) {
    const auto* to = reinterpret_cast<const sockaddr*>(&options.target);
    if (fd_.get() < 0) FailWithErrno("socket");
    if (connect(fd_.get(), to, sizeof options.target) < 0) FailWithErrno("connect");
    SetUdpOption(UDP_SEGMENT, static_cast<int>(options.size));
    SetUdpOption(UDP_GRO, 1);
  }

  int fd() const { return fd_.get(); }
  bool idle() const { return received_ == sent_; }

  // In one piece, which the kernel cuts: this side is to cost less than any server.
  void Send(int count) {
    const int64_t now = Now();
    const int64_t position = sent_ * options_.size;
    for (int i = 0; i < count; i++, sent_++) {
      sent_at_[static_cast<size_t>(sent_) % sent_at_.size()] = now;
    }
    iovec slice{const_cast<char*>(pattern_.At(number_, position)), Size() * count};
    msghdr message{};
    message.msg_iov = &slice;
    message.msg_iovlen = 1;
    if (sendmsg(fd(), &message, 0) != static_cast<ssize_t>(slice.iov_len)) FailWithErrno("sendmsg");
  }

  // Takes what has come: how many datagrams. Several may come in one piece; all are of one size.
  int Receive(Histogram* latencies) {
    int all = 0;
    for (;;) {
      const ssize_t got = recv(fd(), buffer_.data(), buffer_.size(), 0);
      if (got < 0 && errno == EAGAIN) return all;
      if (got < 0) FailWithErrno("recv");
      if (got == 0 || got % options_.size != 0)
        Fail("peer %d: a datagram of another size", number_);
      all += Take(got, latencies);
    }
  }

 private:
  int Take(int64_t length, Histogram* latencies) {
    const int count = static_cast<int>(length / options_.size);
    if (received_ + count > sent_) Fail("peer %d: more came back than was sent", number_);
    pattern_.Check(number_, received_ * options_.size, buffer_.data(), length);
    const int64_t now = latencies == nullptr ? 0 : Now();
    for (int i = 0; i < count; i++, received_++) {
      const int64_t at = sent_at_[static_cast<size_t>(received_) % sent_at_.size()];
      if (latencies != nullptr) latencies->Add(now - at);
    }
    return count;
  }

  size_t Size() const { return static_cast<size_t>(options_.size); }

  void SetUdpOption(int name, int value) {
    if (setsockopt(fd(), IPPROTO_UDP, name, &value, sizeof value) < 0) FailWithErrno("setsockopt");
  }

  const Options& options_;
  const Pattern& pattern_;
  const int number_;
  Fd fd_;
  int64_t sent_ = 0;
  int64_t received_ = 0;
  std::vector<int64_t> sent_at_;
  std::vector<char> buffer_;
};

class Packets {
 public:
  explicit Packets(const Options& options)
      : options_(options), pattern_(options.size * options.in_flight), slices_(options) {
    peers_.reserve(static_cast<size_t>(options.connections));
    for (int i = 0; i < options.connections; i++) {
      const int fd = peers_.emplace_back(options, pattern_, i).fd();
      poller_.Add(fd, EPOLLIN | EPOLLET, static_cast<uint64_t>(i));
    }
  }

  void Run() {
    for (Peer& peer : peers_) peer.Send(options_.in_flight);
    slices_.Run([this] { Turn(true); });
    slices_.Finish([this] { return Drained(); });
    slices_.Report("datagrams", &latencies_);
  }

 private:
  void Turn(bool go_on) {
    poller_.Ask([this, go_on](uint64_t i, uint32_t) {
      const int got = peers_[i].Receive(slices_.measuring() ? &latencies_ : nullptr);
      slices_.Count(got);
      if (go_on) peers_[i].Send(got);
    });
  }

  bool Drained() {
    Turn(false);
    return std::all_of(peers_.begin(), peers_.end(), [](const Peer& peer) { return peer.idle(); });
  }

  const Options& options_;
  const Pattern pattern_;
  Slices slices_;
  Histogram latencies_;
  Poller poller_;
  std::vector<Peer> peers_;
};

}  // namespace

void RunPackets(const Options& options) { Packets(options).Run(); }

}  // namespace bench
