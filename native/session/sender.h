// What a session sends: control frames, and between them as many of the owner's frames as the peer
// has granted room for.
//
//   owner's thread   Put ──▶ data ─┐
//                                  ├─▶ Flush: control first, then whole frames ──▶ send(2)
//   I/O thread   Say… ──▶ control ─┘
//
// Both threads flush, so that a frame that may go at once does, and JavaScript need not be there
// for one that may go only later. A control frame waits for the end of a frame that is half sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include "session/byte_queue.h"
#include "session/wire.h"

namespace spliceway {

// From any thread.
class Sender {
 public:
  // What there is to do after a call.
  enum class After : uint8_t {
    kNothing,
    kTell,    // the owner waits for it: all that it put is with the kernel
    kFailed,  // for the first time: error() says why, and nothing more is sent
  };

  // The descriptor stays open until Close.
  Sender(int fd, const Wire& wire) : fd_(fd), wire_(wire) {}

  // Whole frames of the owner's. `waits` is whether it is to be told.
  After Put(std::span<const Bytes> frames, bool* waits);
  // FIN, when all that was put so far is with the kernel.
  After Finish();

  After SayPing(const Beat& ping);
  After SayPong(const Beat& pong);
  After SayCredit(uint32_t bytes);
  // The peer is ready to take so many bytes more.
  After Allow(uint32_t bytes);
  // The peer has sent its last: what the credit that is left does not cover can never go.
  After NoMoreCredit();
  // There may be room.
  After Flush();

  // No call from now on touches the descriptor.
  void Close();

  int error() const;
  // Whether control frames, a PING perhaps, have yet to leave.
  bool has_to_say() const;
  // Bytes of the owner's frames that the kernel has taken, and those that the peer has granted and
  // that are left.
  uint64_t sent() const;
  uint64_t credit() const;

 private:
  After FlushLocked();
  bool SendSome(ByteQueue* queue, size_t n, size_t* left);
  void FillControl();
  bool NextRun();
  After FinishLocked();

  const int fd_;
  const Wire wire_;
  mutable std::mutex mutex_;
  ByteQueue data_;
  // Of data_, whole frames that may go, apart from what of them has gone already.
  size_t run_ = 0;
  // Control frames, laid out. While there are any, later ones are kept here: the latest of each
  // kind, so that a peer that does not read costs no memory.
  ByteQueue control_;
  std::optional<Beat> ping_;
  std::optional<Beat> pong_;
  uint64_t grant_ = 0;
  uint64_t credit_ = 0;
  uint64_t window_ = 0;  // the first grant: no frame may be larger
  uint64_t sent_ = 0;
  int error_ = 0;
  bool waited_for_ = false;
  bool more_credit_ = true;  // may come
  bool finishing_ = false;
  bool closed_ = false;
};

}  // namespace spliceway
