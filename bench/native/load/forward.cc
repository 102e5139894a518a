#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <utility>
#include <vector>

#include "fail.h"
#include "modes.h"
#include "pattern.h"
#include "proxied.h"
#include "slices.h"
#include "socket.h"

namespace bench {
namespace {

constexpr int64_t kSendAtOnce = 256 * 1024;
constexpr int64_t kReceiveAtOnce = 1024 * 1024;
// Bytes on their way, of all streams. A few streams never have that many, because the sockets'
// buffers are smaller; a thousand would fill all the memory that the kernel has for TCP, and
// measure how it throttles them.
constexpr int64_t kOnTheWay = 256 * 1024 * 1024;

// From the source through the proxy to the sink.
struct Stream {
  Fd source, sink;
  int64_t sent = 0;
  int64_t received = 0;
  bool ended = false;
};

class Forward {
 public:
  Forward(const Options& options, const Proxy& proxy)
      : window_(kOnTheWay / options.connections),
        slices_(options),
        pattern_(kReceiveAtOnce),
        buffer_(kReceiveAtOnce) {
    for (int i = 0; i < options.connections; i++) {
      Proxied ends = proxy.Open(0);
      streams_.push_back({std::move(ends.client), std::move(ends.target)});
    }
    for (int i = 0; i < options.connections; i++) {
      poller_.Add(streams_[i].source.get(), EPOLLOUT | EPOLLET, SourceOf(i));
      poller_.Add(streams_[i].sink.get(), EPOLLIN, SinkOf(i));
    }
  }

  void Run() {
    slices_.Run([this] { Turn(); });
    for (Stream& stream : streams_) shutdown(stream.source.get(), SHUT_WR);
    slices_.Finish([this] { return Drained(); });
    slices_.Report("bytes", nullptr);
  }

 private:
  static uint64_t SourceOf(int i) { return 2 * static_cast<uint64_t>(i); }
  static uint64_t SinkOf(int i) { return SourceOf(i) + 1; }

  void Turn() {
    poller_.Ask([this](uint64_t data, uint32_t) {
      const int i = static_cast<int>(data / 2);
      if (data == SourceOf(i)) {
        SendMore(i);
      } else {
        ReceiveMore(i);
        SendMore(i);
      }
    });
  }

  // When the socket has room again, and when bytes have arrived: some are always on their way, so
  // one of the two comes for certain.
  void SendMore(int i) {
    Stream& stream = streams_[i];
    const int64_t room = window_ - (stream.sent - stream.received);
    const auto n = static_cast<size_t>(std::min(room, kSendAtOnce));
    if (n > 0) stream.sent += Send(stream.source.get(), pattern_.At(i, stream.sent), n);
  }

  // The window is for the proxy: there the bytes are thrown away unseen. Those before and after it
  // are looked at, and the places of the latter show that none was lost or doubled in between.
  void ReceiveMore(int i) {
    Stream& stream = streams_[i];
    const int flags = slices_.measuring() ? MSG_TRUNC : 0;
    const int64_t n = Receive(stream.sink.get(), buffer_.data(), kReceiveAtOnce, flags);
    if (flags == 0) pattern_.Check(i, stream.received, buffer_.data(), n);
    stream.received += n;
    slices_.Count(n);
  }

  bool Drained() {
    bool all = true;
    for (int i = 0; i < static_cast<int>(streams_.size()); i++) all &= DrainOne(i);
    return all;
  }

  // The end of the stream must come through the proxy too, after the last byte.
  bool DrainOne(int i) {
    Stream& stream = streams_[i];
    if (stream.ended) return true;
    char byte;
    const ssize_t n = recv(stream.sink.get(), &byte, 1, MSG_PEEK);
    if (n > 0) {
      ReceiveMore(i);
    } else if (n == 0) {
      stream.ended = true;
      if (stream.received != stream.sent) {
        Fail("stream %d: %" PRId64 " bytes went in and %" PRId64 " came out", i, stream.sent,
             stream.received);
      }
    } else if (errno != EAGAIN) {
      FailWithErrno("recv");
    }
    return stream.ended;
  }

  const int64_t window_;
  Slices slices_;
  const Pattern pattern_;
  std::vector<char> buffer_;
  Poller poller_;
  std::vector<Stream> streams_;
};

}  // namespace

void RunForward(const Options& given) {
  Options options = given;
  const Proxy proxy(&options);
  Forward(options, proxy).Run();
}

}  // namespace bench
