#include "chaos/delay_line.h"

#include <algorithm>
#include <cmath>

namespace spliceway {
namespace {

// TCP doubles its timeout that often at most before it gives up or gets through.
constexpr double kMostLosses = 8;

// How often a segment is lost before it gets through: `draw` < loss once, < loss² twice, …
int LossesOf(double draw, double loss) {
  if (loss <= 0 || draw >= loss) return 0;
  if (loss >= 1) return static_cast<int>(kMostLosses);
  return static_cast<int>(std::min(std::log(draw) / std::log(loss), kMostLosses));
}

}  // namespace

// One that is late holds up all behind it: a stream has no overtaking.
int64_t DelayLine::DueOfNext(const Impairment& impairment, int64_t now_ns) {
  const double early_or_late = 2 * chance_.Next() - 1;
  const int losses = LossesOf(chance_.Next(), impairment.loss);
  const auto jitter =
      static_cast<int64_t>(early_or_late * static_cast<double>(impairment.jitter_ns));
  const int64_t delay = std::max<int64_t>(impairment.delay_ns + jitter, 0);
  const int64_t stall = impairment.retransmit_ns * ((int64_t{1} << losses) - 1);
  ++segments_;
  if (losses > 0) ++lost_;
  last_due_ = std::max(last_due_, now_ns + delay + stall);
  return last_due_;
}

void DelayLine::Push(std::span<const char> bytes, const Impairment& impairment, int64_t now_ns) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  for (size_t left = bytes.size(); left > 0;) {
    const size_t segment = std::min(left, kSegment);
    left -= segment;
    pushed_ += segment;
    const int64_t due = DueOfNext(impairment, now_ns);
    if (!waiting_.empty() && waiting_.back().due == due) {
      waiting_.back().end = pushed_;
    } else {
      waiting_.push_back({pushed_, due});
    }
  }
}

void DelayLine::PushEnd(End end, const Impairment& impairment, int64_t now_ns) {
  end_ = end;
  end_due_ = DueOfNext(impairment, now_ns);
}

std::span<const char> DelayLine::Front(int64_t now_ns) {
  while (!waiting_.empty() && waiting_.front().due <= now_ns) {
    due_end_ = waiting_.front().end;
    waiting_.pop_front();
  }
  return std::span<const char>(bytes_).subspan(head_, static_cast<size_t>(due_end_ - popped_));
}

// What is out is dropped when it is the greater part, so that each byte is moved once on average.
void DelayLine::Pop(size_t bytes) {
  head_ += bytes;
  popped_ += bytes;
  if (head_ < bytes_.size() - head_) return;
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<ptrdiff_t>(head_));
  head_ = 0;
}

DelayLine::End DelayLine::EndedBy(int64_t now_ns) const {
  return popped_ == pushed_ && end_due_ <= now_ns ? end_ : End::kNone;
}

int64_t DelayLine::NextDue() const {
  if (popped_ < due_end_) return 0;
  return waiting_.empty() ? end_due_ : waiting_.front().due;
}

}  // namespace spliceway
