#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <string>
#include <vector>

#include "fail.h"
#include "modes.h"
#include "pattern.h"
#include "slices.h"
#include "socket.h"
#include "tcp.h"

namespace bench {
namespace {

constexpr int64_t kSendAtOnce = 256 * 1024;
constexpr int64_t kReceiveAtOnce = 1024 * 1024;
constexpr int64_t kAcceptTimeout = 5 * kSecond;

// From the source through the proxy to the sink.
struct Stream {
  Fd source, sink;
  int64_t sent = 0;
  int64_t received = 0;
  bool ended = false;
};

class Forward {
 public:
  Forward(const Options& options, const Fd& listener)
      : slices_(options), pattern_(kReceiveAtOnce), buffer_(kReceiveAtOnce) {
    for (int i = 0; i < options.connections; i++) streams_.push_back(Open(options, listener));
    for (int i = 0; i < options.connections; i++) {
      poller_.Add(streams_[i].source.get(), EPOLLOUT, SourceOf(i));
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

  // One at a time, so that it is known which sink belongs to which source.
  static Stream Open(const Options& options, const Fd& listener) {
    Stream stream;
    stream.source = ConnectFrom(0, options.target);
    const int64_t until = Now() + kAcceptTimeout;
    do {
      stream.sink = Fd(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (Now() > until) Fail("the proxy does not connect to its target");
    } while (stream.sink.get() < 0);
    return stream;
  }

  void Turn() {
    poller_.Ask([this](uint64_t data, uint32_t) {
      const int i = static_cast<int>(data / 2);
      if (data == SourceOf(i)) {
        SendMore(i);
      } else {
        ReceiveMore(i);
      }
    });
  }

  void SendMore(int i) {
    Stream& stream = streams_[i];
    stream.sent += Send(stream.source.get(), pattern_.At(i, stream.sent), kSendAtOnce);
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

  Slices slices_;
  const Pattern pattern_;
  std::vector<char> buffer_;
  Poller poller_;
  std::vector<Stream> streams_;
};

// The proxy must be told its target before it starts, and it must run before it can be told here.
void AskForProxy(Options* options) {
  char line[64] = "";
  char address[32];
  int pid = 0;
  if (std::fgets(line, sizeof line, stdin) == nullptr ||
      std::sscanf(line, "%31s %d", address, &pid) != 2 ||
      parse_address(address, &options->target) < 0) {
    Fail("standard input must have a line with the proxy's HOST:PORT and PID");
  }
  options->server_pid = pid;
}

}  // namespace

void RunForward(const Options& given) {
  Options options = given;
  const Fd listener(listen_on("127.0.0.1:0"));
  std::printf("{\"mode\":\"forward\",\"listening\":\"127.0.0.1:%d\"}\n",
              ntohs(local_address(listener.get()).sin_port));
  std::fflush(stdout);
  AskForProxy(&options);
  Forward(options, listener).Run();
}

}  // namespace bench
