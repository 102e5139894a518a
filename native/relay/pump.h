// One direction of forwarding: from a socket (or file) to a socket (or file), without the bytes
// entering JavaScript, and as far as the system allows without their entering the process.
//
//   small      recv into a buffer, send. Cheaper than splice for a message, and needs no pipe.
//   in bulk    splice source → pipe until the pipe is full or the source empty, then pipe → sink.
//              Entered when a read filled the buffer; left when a run brought less than that. The
//              pipe goes back whenever the source runs dry with the pipe empty, or has given all
//              that it may for now, so that a quiet connection holds none.
//   unhandled  where splice is refused, or there is no pipe to be had, copying serves for all.
//
// A pump knows nothing of readiness and waiting: it runs until it can go no further and says why.
// One thread's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "relay/pipe_cache.h"

namespace spliceway {

class Pump {
 public:
  enum class Kind : uint8_t { kSocket, kFile };

  enum class Status : int32_t {
    kEnd,           // the source is over, or the limit reached, and the sink has all of it
    kSourceEmpty,   // go on when the source is readable
    kSinkFull,      // go on when the sink is writable
    kMore,          // it could go on, but others have their turn first
    kSourceFailed,  // error() says how; the sink has all that was read before
    kSinkFailed,    // error() says how; what was taken from the source and not delivered is lost
    kHeld,          // it has taken all that it is allowed for now
  };

  // The cache outlives the pump. Both descriptors are open, and the same, in each Run.
  Pump(PipeCache* pipes, Kind source, Kind sink) : pipes_(pipes), source_(source), sink_(sink) {}
  Pump(Pump&& other) = default;  // before its first Run only: a pipe has one keeper
  ~Pump();

  Status Run(int from, int to);
  // Delivers what was taken before and takes no more; nothing when all of it is delivered.
  std::optional<Status> Drain(int to);

  // Before the first Run. Bytes that come before those of the source and count as taken from it;
  // bytes that follow the last of them, be that the source's or that of the limit; and from where
  // in a file, instead of its own position.
  void PutFirst(std::span<const uint8_t> bytes);
  void PutLast(std::span<const uint8_t> bytes);
  void SetOffset(int64_t offset) { offset_ = offset; }
  // At most this many bytes are taken from the source, those that were put first included.
  void SetLimit(uint64_t bytes) { limit_ = bytes; }
  // The same for now: it may be raised again.
  void Allow(uint64_t bytes) { allowed_ = bytes; }

  uint64_t taken() const { return taken_; }
  uint64_t delivered() const { return delivered_; }  // bytes that the sink took
  // Whether it ended for its limit, and not for the end of its source.
  bool limited() const { return !source_over_ && taken_ >= limit_; }
  int error() const { return error_; }  // errno of a failed run

 private:
  // Bytes in the process's own memory.
  struct Stash {
    std::vector<char> bytes;
    size_t sent = 0;
  };
  // Null for none.
  static std::unique_ptr<Stash> StashOf(std::vector<char> bytes);

  // Each returns nothing when the pump should go on.
  std::optional<Status> DrainStash(int to);
  std::optional<Status> DrainPipe(int to);
  std::optional<Status> Fill(int from, int to);
  std::optional<Status> FillByCopy(int from, int to);
  std::optional<Status> FillPipe(int from);
  std::optional<Status> SendFile(int from, int to);

  int64_t ReadSource(int from, std::span<char> into);
  bool Finished();
  bool Took(int64_t result);
  std::optional<Status> SinkSays(int64_t result);
  void EmptyPipeByReading();
  bool LeasePipe();
  void ReturnPipe();
  size_t Wanted(size_t room) const;

  // What is copied at once where splicing would do as well, and what makes bulk of a run.
  static constexpr size_t kCopyAtOnce = 16 * 1024;
  // Rounds of filling and draining before others have their turn: up to 4 MiB.
  static constexpr int kRounds = 16;

  PipeCache* pipes_;
  Kind source_;
  Kind sink_;
  bool bulk_ = false;
  bool can_splice_ = true;
  bool can_sendfile_ = true;
  bool ran_dry_ = false;  // splice says so: recv has the last word
  bool source_over_ = false;
  int error_ = 0;
  uint64_t limit_ = UINT64_MAX;
  uint64_t allowed_ = UINT64_MAX;
  uint64_t taken_ = 0;
  uint64_t taken_before_ = 0;  // when this run began
  uint64_t delivered_ = 0;
  // What an idle pump has no use for is not in it.
  std::unique_ptr<sys::PipeFds> pipe_;
  size_t in_pipe_ = 0;
  std::unique_ptr<Stash> stash_;  // copied bytes that the sink had no room for
  std::unique_ptr<Stash> last_;
  int64_t offset_ = -1;
};

}  // namespace spliceway
