// Bytes on their way: what was put in comes out in the same order, each segment when it is due.
//
//   Push ──▶ │ segment │ segment │ … │ end │ ──▶ Front, Pop
//              due 17    due 17        due 40
//
// A segment is what is decided about at once: up to 1448 bytes, as TCP would send them. Its fate
// takes two numbers of the direction's chance, whatever the impairment is, so that the n-th segment
// of a run meets what the n-th of the last one met. Time is the caller's: nothing here waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "chaos/chance.h"
#include "chaos/impairment.h"
#include "sys/clock.h"

namespace spliceway {

class DelayLine {
 public:
  // How the bytes end.
  enum class End : uint8_t { kNone, kFin, kReset };

  static constexpr size_t kSegment = 1448;
  // What is on its way at most. A long path that is fast holds more, and is slower here.
  static constexpr size_t kCapacity = 4 << 20;

  explicit DelayLine(Chance chance) : chance_(chance) {}

  size_t room() const { return kCapacity - size(); }
  // No more than there is room for, and not after PushEnd.
  void Push(std::span<const char> bytes, const Impairment& impairment, int64_t now_ns);
  // After the last byte, and as late as one more segment would be.
  void PushEnd(End end, const Impairment& impairment, int64_t now_ns);

  // The bytes that are due, or some of them; empty when none is.
  std::span<const char> Front(int64_t now_ns);
  void Pop(size_t bytes);
  // How it ended: once that is due, and every byte is out.
  End EndedBy(int64_t now_ns) const;
  // When what comes next is due; kNever where nothing is left.
  int64_t NextDue() const;

  uint64_t segments() const { return segments_; }
  // How many segments were lost, once or more.
  uint64_t lost() const { return lost_; }

 private:
  struct Segment {
    uint64_t end;  // in bytes since the beginning
    int64_t due;
  };

  size_t size() const { return bytes_.size() - head_; }
  int64_t DueOfNext(const Impairment& impairment, int64_t now_ns);

  Chance chance_;
  std::vector<char> bytes_;  // those before head_ are out
  size_t head_ = 0;
  uint64_t pushed_ = 0;  // in bytes since the beginning
  uint64_t popped_ = 0;
  uint64_t due_end_ = 0;  // up to where bytes are known to be due
  std::deque<Segment> waiting_;
  int64_t last_due_ = 0;
  End end_ = End::kNone;
  int64_t end_due_ = kNever;
  uint64_t segments_ = 0;
  uint64_t lost_ = 0;
};

}  // namespace spliceway
