// Pipes to splice through, lent and taken back. One thread's own, within a budget that all threads
// of the process share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "sys/zero_copy.h"

namespace spliceway {

// A user's pipes may have so much memory and no more (fs.pipe-user-pages-soft): 256 pipes of 256
// KiB, unless the administrator says otherwise. Past it the kernel hands out pipes of two pages,
// which are worse than none, to every program of that user. So the process shares out what it may
// have: large pipes first, then smaller ones, then none, and leaves an eighth to others.
class PipeBudget {
 public:
  explicit PipeBudget(size_t bytes) : bytes_(bytes) {}
  static PipeBudget& OfProcess();

  // How large the next pipe may be, at most `wanted`; 0 for none. It counts as taken.
  size_t Take(size_t wanted);
  void GiveBack(size_t bytes);

 private:
  size_t bytes_;
  std::atomic<size_t> taken_ = 0;
};

class PipeCache {
 public:
  // Large enough that filling and draining it pays for the two calls, small enough that its pages
  // stay in the processor's cache: measured in docs/decisions/004.
  static constexpr size_t kPipeSize = 256 * 1024;
  // A smaller one costs more than copying does.
  static constexpr size_t kSmallest = 64 * 1024;

  explicit PipeCache(PipeBudget* budget = &PipeBudget::OfProcess()) : budget_(budget) {}
  ~PipeCache();

  // Nothing when there is none to be had: the caller copies instead.
  std::optional<sys::PipeFds> Take();
  // Only an empty pipe may come back; one with bytes in it would hand them to a stranger.
  void Return(sys::PipeFds pipe);
  // Instead of returning it.
  void Discard(sys::PipeFds pipe);

  // Memory to copy bulk through where there is no pipe; whoever uses it is done with it when it
  // returns to the reactor.
  std::span<char> CopyBuffer();

  size_t idle() const { return idle_.size(); }

 private:
  static constexpr size_t kIdleAtMost = 16;
  static constexpr size_t kCopyBuffer = 64 * 1024;

  PipeBudget* budget_;
  std::vector<sys::PipeFds> idle_;
  std::unique_ptr<char[]> copy_buffer_;
};

}  // namespace spliceway
