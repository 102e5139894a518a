#include "echo_conn.h"

#include "clock.h"
#include "fail.h"

namespace bench {
namespace {

constexpr int64_t kBuffer = 256 * 1024;
constexpr int64_t kFirstEchoTimeout = 5 * kSecond;

}  // namespace

EchoRun::EchoRun(const Options& o)
    : options(o), pattern(std::max(o.size * o.in_flight, kBuffer)), buffer(kBuffer) {}

EchoConn::EchoConn(EchoRun* run, int number)
    : run_(run),
      number_(number),
      fd_(ConnectFrom(1 + number % kAddresses, run->options.target)),
      allowed_at_(static_cast<size_t>(run->options.in_flight)) {
  ResetOnClose(fd());
  Allow(1);
  for (const int64_t until = Now() + kFirstEchoTimeout; !idle();) {
    Receive(nullptr);
    Flush();
    if (Now() > until) Fail("connection %d: the first message did not come back", number_);
  }
}

void EchoConn::Allow(int messages) {
  const int64_t now = Now();
  const int64_t size = run_->options.size;
  for (int i = 0; i < messages; i++, allowed_ += size) {
    allowed_at_[static_cast<size_t>(allowed_ / size) % allowed_at_.size()] = now;
  }
  Flush();
}

void EchoConn::Flush() {
  while (sent_ < allowed_) {
    const char* from = run_->pattern.At(number_, sent_);
    const int64_t n = Send(fd(), from, static_cast<size_t>(allowed_ - sent_));
    if (n == 0) return;
    sent_ += n;
  }
}

// A short read has emptied the queue, and the next byte brings an event of its own.
int EchoConn::Receive(Histogram* latencies) {
  std::vector<char>& buffer = run_->buffer;
  int completed = 0;
  for (;;) {
    const int64_t n = bench::Receive(fd(), buffer.data(), buffer.size());
    if (n == 0) return completed;
    if (received_ + n > sent_) Fail("connection %d: more came back than was sent", number_);
    run_->pattern.Check(number_, received_, buffer.data(), n);
    completed += Complete(n, latencies);
    if (n < static_cast<int64_t>(buffer.size())) return completed;
  }
}

int EchoConn::Complete(int64_t n, Histogram* latencies) {
  const int64_t size = run_->options.size;
  const int64_t first = received_ / size;
  received_ += n;
  const int64_t end = received_ / size;
  const int64_t now = latencies == nullptr ? 0 : Now();
  for (int64_t i = first; latencies != nullptr && i < end; i++) {
    latencies->Add(now - allowed_at_[static_cast<size_t>(i) % allowed_at_.size()]);
  }
  return static_cast<int>(end - first);
}

}  // namespace bench
