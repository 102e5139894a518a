#include <sys/socket.h>

#include <utility>
#include <vector>

#include "clock.h"
#include "fail.h"
#include "histogram.h"
#include "modes.h"
#include "pattern.h"
#include "proxied.h"
#include "slices.h"
#include "socket.h"

namespace bench {
namespace {

// One message at a time goes from the client to the target and back.
struct Table {
  Fd client, target;
  int64_t served = 0;    // messages
  int64_t returned = 0;  // bytes that the client has back
  int64_t served_at = 0;
};

class PingPong {
 public:
  PingPong(const Options& options, const Proxy& proxy)
      : size_(options.size), slices_(options), pattern_(size_), buffer_(size_ + 1) {
    for (int i = 0; i < options.connections; i++) {
      Proxied ends = proxy.Open(i % kAddresses);
      tables_.push_back({std::move(ends.client), std::move(ends.target)});
    }
    for (int i = 0; i < options.connections; i++) {
      poller_.Add(tables_[i].client.get(), EPOLLIN | EPOLLRDHUP | EPOLLET, ClientOf(i));
      poller_.Add(tables_[i].target.get(), EPOLLIN | EPOLLRDHUP | EPOLLET, TargetOf(i));
    }
  }

  void Run() {
    for (int i = 0; i < static_cast<int>(tables_.size()); i++) Serve(i);
    slices_.Run([this] { Turn(); });
    serving_ = false;
    slices_.Finish([this] { return Drained(); });
    slices_.Report("requests", &latencies_);
  }

 private:
  static constexpr int kAddresses = 8;

  static uint64_t ClientOf(int i) { return 2 * static_cast<uint64_t>(i); }
  static uint64_t TargetOf(int i) { return ClientOf(i) + 1; }

  void Turn() {
    poller_.Ask([this](uint64_t data, uint32_t events) {
      if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) Fail("the proxy ended a connection");
      const int i = static_cast<int>(data / 2);
      if (data == ClientOf(i)) {
        Receive(i);
      } else {
        Return(i);
      }
    });
  }

  void Serve(int i) {
    Table& table = tables_[i];
    table.served_at = Now();
    SendAll(table.client.get(), pattern_.At(i, table.served * size_), size_);
    table.served++;
  }

  // The target's part: whatever comes goes back.
  void Return(int i) {
    const int target = tables_[i].target.get();
    while (const int64_t n = bench::Receive(target, buffer_.data(), buffer_.size())) {
      SendAll(target, buffer_.data(), n);
      if (n < static_cast<int64_t>(buffer_.size())) return;
    }
  }

  // One byte more than is expected is asked for, so that nothing of a second copy stays behind.
  void Receive(int i) {
    Table& table = tables_[i];
    const int64_t n = bench::Receive(table.client.get(), buffer_.data(), buffer_.size());
    if (table.returned + n > table.served * size_) Fail("more came back than was sent");
    pattern_.Check(i, table.returned, buffer_.data(), n);
    table.returned += n;
    if (n > 0 && table.returned == table.served * size_) Complete(i);
  }

  void Complete(int i) {
    if (slices_.measuring()) latencies_.Add(Now() - tables_[i].served_at);
    slices_.Count(1);
    if (serving_) Serve(i);
  }

  // A connection with one message on its way has room for all of it.
  static void SendAll(int fd, const char* p, int64_t n) {
    if (Send(fd, p, static_cast<size_t>(n)) != n) Fail("no room for one message");
  }

  bool Drained() {
    Turn();
    for (const Table& table : tables_) {
      if (table.returned != table.served * size_) return false;
    }
    return true;
  }

  const int64_t size_;
  Slices slices_;
  const Pattern pattern_;
  std::vector<char> buffer_;
  Histogram latencies_;
  Poller poller_;
  std::vector<Table> tables_;
  bool serving_ = true;
};

}  // namespace

void RunPingPong(const Options& given) {
  Options options = given;
  const Proxy proxy(&options);
  PingPong(options, proxy).Run();
}

}  // namespace bench
