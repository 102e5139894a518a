#include "slices.h"

#include <cinttypes>
#include <cstdio>

#include "fail.h"

namespace bench {
namespace {

void PrintLatencies(const Histogram& latencies) {
  std::printf(",\"latencyNs\":{\"count\":%" PRId64, latencies.count());
  for (const auto& [name, share] :
       {std::pair{"p50", .5}, {"p90", .9}, {"p99", .99}, {"p999", .999}, {"max", 1.}}) {
    std::printf(",\"%s\":%" PRId64, name, latencies.Percentile(share));
  }
  std::printf("}");
}

}  // namespace

Slices::Slices(const Options& options) : options_(options), server_(options.server_pid) {
  slices_.reserve(static_cast<size_t>(options.measure_ns / kLength + 1));
}

void Slices::Begin(int64_t now) {
  measuring_ = true;
  server_.Lap();
  own_delay_ns_ = OwnTimes().delay_ns;
  done_ = 0;
  began_at_ = now;
  cut_at_ = now + kLength;
  end_ = now + options_.measure_ns;
}

void Slices::Cut(int64_t now) {
  const TaskTimes server = server_.Lap();
  const int64_t own_delay_ns = OwnTimes().delay_ns;
  slices_.push_back({began_at_, now - began_at_, done_, server, own_delay_ns - own_delay_ns_});
  own_delay_ns_ = own_delay_ns;
  done_ = 0;
  began_at_ = now;
  cut_at_ = now + kLength;
}

// What is left at the end is a slice only if it is a whole one.
void Slices::End(int64_t now) {
  if (now >= cut_at_) Cut(now);
  measuring_ = false;
}

void Slices::GiveUp() const {
  Fail("nothing came back for %d s, after %" PRId64 " done",
       static_cast<int>(options_.patience_ns / kSecond), total_);
}

void Slices::Report(const char* unit, const Histogram* latencies) const {
  std::printf(
      "{\"mode\":\"%s\",\"unit\":\"%s\",\"columns\":[\"beganNs\",\"elapsedNs\",\"done\","
      "\"serverCpuNs\",\"serverDelayNs\",\"serverRuns\",\"loadDelayNs\"],\"slices\":[",
      options_.mode.c_str(), unit);
  for (const Slice& slice : slices_) {
    std::printf("%s[%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64
                ",%" PRId64 "]",
                &slice == slices_.data() ? "" : ",", slice.began_at, slice.elapsed_ns, slice.done,
                slice.server.cpu_ns, slice.server.delay_ns, slice.server.runs, slice.own_delay_ns);
  }
  std::printf("]");
  if (latencies != nullptr) PrintLatencies(*latencies);
  std::printf("}\n");
}

}  // namespace bench
