// A connection to an echo server: sends messages of the pattern, and checks what comes back.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <vector>

#include "histogram.h"
#include "options.h"
#include "pattern.h"
#include "socket.h"

namespace bench {

// What the connections of a run share.
struct EchoRun {
  explicit EchoRun(const Options& options);

  const Options& options;
  const Pattern pattern;
  std::vector<char> buffer;
};

class EchoConn {
 public:
  static constexpr int kAddresses = 8;

  // Connects, and has one message echoed: the server has accepted it for certain. Connections
  // opened one after the other like this cannot overflow the server's queue of new ones.
  EchoConn(EchoRun* run, int number);

  int fd() const { return fd_.get(); }

  // Allows more messages to be sent, and sends what the kernel has room for.
  void Allow(int messages);
  // Sends what had no room before.
  void Flush();
  // Takes what has come: how many messages are now complete. Their latencies go to `latencies`,
  // unless it is null.
  int Receive(Histogram* latencies);

  // Whether every byte that was sent came back.
  bool idle() const { return received_ == allowed_; }

 private:
  int Complete(int64_t n, Histogram* latencies);

  EchoRun* run_;
  int number_;
  Fd fd_;
  int64_t allowed_ = 0;
  int64_t sent_ = 0;
  int64_t received_ = 0;
  // When each message in flight was allowed; message i is at i modulo the size.
  std::vector<int64_t> allowed_at_;
};

}  // namespace bench
