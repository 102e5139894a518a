// What a session has received for its owner: whole frames, as many bytes as the peer was granted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>

#include "session/byte_queue.h"

namespace spliceway {

// From any thread.
class Inbox {
 public:
  // `window` bytes may be outstanding, of frames of at most `largest`, which is no more than that.
  Inbox(size_t window, size_t largest);

  size_t window() const { return window_; }

  // From the I/O thread. False: the peer had not been granted so much.
  bool Put(std::span<const uint8_t> frames);
  // What comes to no frame any more, for the owner to see: no credit is asked for that.
  void PutRest(std::span<const uint8_t> first, std::span<const uint8_t> second);
  // Nothing more comes.
  void End();
  // Whether the owner waits for what was put, or the end; asked once.
  bool TakeWaiter();

  // From the owner. Bytes, 0 at the end, or kAgain: then TakeWaiter says so when there is more.
  int64_t Take(std::span<uint8_t> into);
  // What the peer may be granted for that, at once; 0 while it is not worth a frame, and
  // where nothing more comes.
  uint32_t TakeGrant();

 private:
  const size_t window_;
  const size_t threshold_;
  std::mutex mutex_;
  ByteQueue frames_;
  size_t granted_;       // what the peer may still send
  size_t consumed_ = 0;  // and not granted anew
  bool ended_ = false;
  bool waited_for_ = false;
};

}  // namespace spliceway
