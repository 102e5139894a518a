#include <vector>

#include "echo_conn.h"
#include "fail.h"
#include "modes.h"
#include "slices.h"

namespace bench {
namespace {

class Echo {
 public:
  explicit Echo(const Options& options) : options_(options), run_(options), slices_(options) {
    for (int i = 0; i < options.connections; i++) {
      const int fd = conns_.emplace_back(&run_, i).fd();
      poller_.Add(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, static_cast<uint64_t>(i));
    }
  }

  void Run() {
    for (EchoConn& conn : conns_) conn.Allow(options_.in_flight);
    slices_.Run([this] { Turn(true); });
    slices_.Finish([this] { return Drained(); });
    slices_.Report("requests", &latencies_);
  }

 private:
  void Turn(bool go_on) {
    poller_.Ask([this, go_on](uint64_t i, uint32_t events) { Serve(&conns_[i], events, go_on); });
  }

  void Serve(EchoConn* conn, uint32_t events, bool go_on) {
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) Fail("the server ended a connection");
    if (events & EPOLLIN) {
      const int completed = conn->Receive(slices_.measuring() ? &latencies_ : nullptr);
      slices_.Count(completed);
      if (go_on && completed > 0) return conn->Allow(completed);
    }
    conn->Flush();
  }

  // No new messages: each byte that was sent must come back.
  bool Drained() {
    Turn(false);
    for (const EchoConn& conn : conns_) {
      if (!conn.idle()) return false;
    }
    return true;
  }

  const Options& options_;
  EchoRun run_;
  Slices slices_;
  Histogram latencies_;
  Poller poller_;
  std::vector<EchoConn> conns_;
};

}  // namespace

void RunEcho(const Options& options) { Echo(options).Run(); }

}  // namespace bench
