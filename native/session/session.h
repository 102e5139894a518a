// One end of a connection of frames on an I/O thread. It reads all that comes, answers PINGs,
// judges the peer's, keeps to the credit that both have granted, and leaves the other frames to its
// owner: whatever JavaScript does, this goes on.
//
//   socket ──▶ Decoder ──┬─ PING, PONG ──▶ Monitor ──▶ what became of the peer
//                        ├─ CREDIT ──────▶ Sender ◀─── the owner's frames
//                        └─ all others ──▶ Inbox ───▶ the owner
//
//            Begin           the peer's FIN              Stop               its FIN, data,
//    Waiting ─────▶ Beating ────────────────▶ Half-closed ────▶ Lingering  a quarter of a second
//                      │     Finish: our FIN      │                 │ ──────────────▶ Finished
//                      └──────────────────────────┴─────────────────┴──▲
//                                 a failure, lost, a breach            │
//
// The heartbeat ends with the first FIN: from then on one end cannot ask or the other not answer.
//
// To close a socket at which something arrives that nobody has read is to reset it, and a peer that
// is reset may lose the last that it was sent. What arrives may always be a PING, so a session that
// is stopped sends FIN and reads on for a moment. Data for its owner is reason for a reset, as
// ever. The descriptor is borrowed, and never closed here.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "codec/decoder.h"
#include "core/timer_wheel.h"
#include "health/monitor.h"
#include "io/port.h"
#include "session/inbox.h"
#include "session/sender.h"
#include "session/wire.h"

namespace spliceway {

class SessionThread;

struct SessionOptions {
  Wire wire;
  size_t window;              // bytes of frames that the owner lets wait
  int64_t frame_timeout = 0;  // ns that a frame may take; 0: for ever
  std::shared_ptr<const HealthOptions> health;
  uint32_t seed = 1;           // of the jitter
  std::vector<uint8_t> first;  // what the owner has read of the stream already
};

// How a session ended, other than by Stop.
enum class SessionEnd : int32_t {
  kNone,
  kReadFailed,
  kWriteFailed,
  kLost,          // nothing was heard of the peer for too long
  kFrameTimeout,  // a frame took too long
  kBreach,        // the peer sent more than it had been granted
};

struct SessionResult {
  SessionEnd end = SessionEnd::kNone;
  int32_t error = 0;  // errno, of the two that failed
};

class Session final : private Port::User, private TimerOwner {
 public:
  // `id` is what the owner is told when there is news.
  Session(int32_t id, int fd, SessionOptions options, int64_t now);

  int32_t id() const { return id_; }

  // From any thread.
  Inbox& inbox() { return inbox_; }
  Sender& sender() { return sender_; }
  HealthFigures figures() const;
  std::vector<Transition> TakeTransitions();
  SessionResult result() const;
  // Whether it has let go of the descriptor. Its owner is told then.
  bool over() const;

  // On the thread that it then belongs to.
  void Begin(SessionThread* thread);
  void Stop();
  // At once.
  void Abandon() { End(SessionEnd::kNone); }
  void SetInterval(int64_t interval);
  // FIN, once all that the owner has put is sent.
  void Finish();
  // What came of a call of the sender's.
  void Follow(Sender::After after);
  bool finished() const { return finished_; }

 private:
  // PINGs that are answered in one turn, each with a system call: a peer that has more under way
  // floods, and the other sessions are not to wait for that.
  static constexpr int kPongsAtOnce = 32;

  // The port tells each direction's user; this is the one that waits for room.
  class Room final : public Port::User {
   public:
    explicit Room(Session* session) : session_(session) {}
    void OnPortReady() override { session_->OnRoom(); }

   private:
    Session* session_;
  };

  void OnPortReady() override { Read(); }
  void OnTimer(int which) override;
  void OnRoom();

  void Attach();
  void Read();
  bool Take(Bytes chunk, int64_t now);
  bool Give(std::span<const FrameRecord> frames, const Decoder::Result& result, Bytes memory,
            int64_t now);
  bool HeardControl(uint32_t command, Bytes body, int64_t now);
  void HeardPing(const Beat& ping, int64_t now);
  bool Reset();
  bool GiveRest(Bytes rest);
  void NoteFrame(int64_t now);
  void OnFin();
  void ReadOver();
  void EndHeartbeat();
  void SayPing(uint32_t sequence, int64_t now);
  void NotePing();
  void Rearm();
  void TellNews();
  void End(SessionEnd end, int error = 0);
  void Detach();

  const int32_t id_;
  const int fd_;
  const SessionOptions options_;
  Inbox inbox_;
  Sender sender_;
  Decoder decoder_;
  std::vector<uint8_t> store_;
  SessionThread* thread_ = nullptr;
  Port* port_ = nullptr;
  Room room_{this};
  bool reading_ = false;
  bool beating_ = false;
  bool lingering_ = false;
  bool finished_ = false;
  bool ping_waits_ = false;  // one was said that has not left
  int pongs_left_ = kPongsAtOnce;
  Timer timer_{this, 0};
  int64_t armed_at_ = kNever;
  int64_t quantum_;
  int64_t frame_due_ = kNever;   // when the frame that is not whole yet is late
  int64_t linger_due_ = kNever;  // when there was enough of it
  uint64_t frame_at_ = 0;        // where in the stream it began

  mutable std::mutex mutex_;
  Monitor monitor_;       // under the mutex, as the owner looks at its figures
  SessionResult result_;  // the same
  bool over_ = false;     // the same
};

}  // namespace spliceway
