#include "session/session.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "session/session_thread.h"
#include "sys/clock.h"
#include "sys/io.h"
#include "sys/socket.h"

namespace spliceway {
namespace {

// Reads in a row before the other sessions have their turn.
constexpr int kReadsAtOnce = 16;
// What a session keeps between frames that lie in several reads.
constexpr size_t kLargestIdleStore = 16 * 1024;
constexpr size_t kFramesAtOnce = 256;
constexpr int64_t kLinger = 250'000'000;

// Sessions of one interval are due together, so that a thread wakes up for many at a time: on a
// grid of a 64th of the interval, but not so coarse that a turn would pass for a late one.
int64_t QuantumOf(int64_t interval) {
  constexpr int64_t kFinest = 1'000'000;
  constexpr int64_t kCoarsest = 25'000'000;
  return std::clamp(interval / 64, kFinest, kCoarsest);
}

int64_t RoundedUp(int64_t when, int64_t quantum) {
  return when == kNever ? kNever : (when + quantum - 1) / quantum * quantum;
}

uint32_t ToMilliseconds(int64_t ns) {
  return static_cast<uint32_t>(std::min<int64_t>(ns / 1'000'000, UINT32_MAX));
}

int64_t ToNanoseconds(uint32_t ms) { return int64_t{ms} * 1'000'000; }

}  // namespace

Session::Session(int32_t id, int fd, SessionOptions options, int64_t now)
    : id_(id),
      fd_(fd),
      options_(std::move(options)),
      inbox_(options_.window, options_.wire.largest()),
      sender_(fd, options_.wire),
      decoder_(std::make_unique<HeaderBody>(options_.wire.layout(), options_.wire.max_body()),
               Decoder::Policy::kStop, options_.wire.Command(Wire::kFirst)),
      quantum_(QuantumOf(options_.health->interval)),
      monitor_(options_.health, now, options_.seed) {}

HealthFigures Session::figures() const {
  const std::lock_guard lock(mutex_);
  return monitor_.figures();
}

std::vector<Transition> Session::TakeTransitions() {
  const std::lock_guard lock(mutex_);
  return monitor_.TakeTransitions();
}

SessionResult Session::result() const {
  const std::lock_guard lock(mutex_);
  return result_;
}

bool Session::over() const {
  const std::lock_guard lock(mutex_);
  return over_;
}

void Session::Begin(SessionThread* thread) {
  thread_ = thread;
  Attach();
  if (finished_) return;
  beating_ = reading_ = true;
  Follow(sender_.SayCredit(static_cast<uint32_t>(inbox_.window())));
  Rearm();
  const int64_t now = MonotonicNow();
  if (!Take(options_.first, now)) return;
  NoteFrame(now);
  Read();
}

void Session::Attach() {
  auto port = thread_->ports().Attach(fd_, Side::kRead, this);
  if (!port.ok()) return End(SessionEnd::kReadFailed, port.error().number);
  port_ = port.value();
  port = thread_->ports().Attach(fd_, Side::kWrite, &room_);
  if (!port.ok()) return End(SessionEnd::kWriteFailed, port.error().number);
  const Status awaited = port_->AwaitEdge(Side::kWrite);
  if (!awaited.ok()) End(SessionEnd::kWriteFailed, awaited.error().number);
}

void Session::Stop() {
  if (finished_) return;
  sender_.Close();
  (void)sys::Shutdown(fd_, sys::ShutdownHow::kWrite).ok();
  if (!reading_) return Abandon();
  lingering_ = true;
  linger_due_ = MonotonicNow() + kLinger;
  frame_due_ = kNever;
  EndHeartbeat();
}

void Session::SetInterval(int64_t interval) {
  if (!beating_) return;
  quantum_ = QuantumOf(interval);
  {
    const std::lock_guard lock(mutex_);
    monitor_.SetInterval(interval, MonotonicNow());
  }
  Rearm();
}

void Session::Finish() {
  if (finished_) return;
  EndHeartbeat();
  Follow(sender_.Finish());
}

void Session::Follow(Sender::After after) {
  if (finished_) return;
  if (after == Sender::After::kFailed) return End(SessionEnd::kWriteFailed, sender_.error());
  NotePing();
  if (after == Sender::After::kTell) thread_->Tell(id_);
}

// Each edge is for one look: asked for anew before it, so that none is missed.
void Session::OnRoom() {
  if (finished_) return;
  const Status awaited = port_->AwaitEdge(Side::kWrite);
  if (!awaited.ok()) return End(SessionEnd::kWriteFailed, awaited.error().number);
  Follow(sender_.Flush());
}

void Session::Read() {
  pongs_left_ = kPongsAtOnce;
  for (int i = 0; i < kReadsAtOnce && reading_; ++i) {
    const std::span<uint8_t> scratch = thread_->scratch();
    const int64_t n = sys::Receive(fd_, scratch.data(), scratch.size());
    if (n == -EAGAIN) {
      const Status awaited = port_->AwaitEdge(Side::kRead);
      if (!awaited.ok()) End(SessionEnd::kReadFailed, awaited.error().number);
      return TellNews();
    }
    if (n < 0) return End(SessionEnd::kReadFailed, static_cast<int>(-n));
    if (n == 0) return OnFin();
    const int64_t now = MonotonicNow();
    {
      const std::lock_guard lock(mutex_);
      monitor_.OnBytes(now);
    }
    if (!Take(scratch.first(static_cast<size_t>(n)), now)) return;
    NoteFrame(now);
  }
  if (reading_) port_->TellNextTurn(Side::kRead);
  TellNews();
}

// False where no more is to be read.
bool Session::Take(Bytes chunk, int64_t now) {
  FrameRecord records[kFramesAtOnce];
  for (;;) {
    const auto result = decoder_.Decode(chunk, store_, records);
    const std::span<const FrameRecord> frames(records, result.frames);
    if (!frames.empty() && !Give(frames, result, result.in_store ? Bytes(store_) : chunk, now)) {
      return false;
    }
    chunk = chunk.subspan(result.consumed);
    if (result.stop == Decoder::Stop::kRoom) store_.resize(result.room);
    if (result.stop == Decoder::Stop::kBad) return GiveRest(chunk);
    if (result.stop == Decoder::Stop::kHungry) break;
  }
  if (decoder_.held() == 0 && store_.size() > kLargestIdleStore)
    std::vector<uint8_t>().swap(store_);
  return true;
}

// The frames lie side by side; one of a control command is alone.
bool Session::Give(std::span<const FrameRecord> frames, const Decoder::Result& result, Bytes memory,
                   int64_t now) {
  const FrameRecord& first = frames.front();
  const FrameRecord& last = frames.back();
  if (result.stop == Decoder::Stop::kControl &&
      HeardControl(first.command & 0xff, memory.subspan(first.at, first.length), now)) {
    return !finished_;
  }
  if (lingering_) return Reset();
  const size_t from = first.at - options_.wire.head();
  if (inbox_.Put(memory.subspan(from, last.at + last.length - from))) return true;
  End(SessionEnd::kBreach);
  return false;
}

bool Session::Reset() {
  Abandon();
  return false;
}

// Whether it was one of those that stay here.
bool Session::HeardControl(uint32_t command, Bytes body, int64_t now) {
  if (command == Wire::kCredit) {
    if (const auto bytes = Wire::ReadCredit(body)) Follow(sender_.Allow(*bytes));
    return true;
  }
  if (command != Wire::kPing && command != Wire::kPong) return false;
  const auto beat = Wire::ReadBeat(body);
  if (!beat || !beating_) return true;
  if (command == Wire::kPing) {
    HeardPing(*beat, now);
  } else {
    const std::lock_guard lock(mutex_);
    monitor_.OnPong(beat->sequence, ToNanoseconds(beat->stuck_ms), now);
  }
  return true;
}

void Session::HeardPing(const Beat& ping, int64_t now) {
  {
    const std::lock_guard lock(mutex_);
    monitor_.OnPing(ToNanoseconds(ping.stuck_ms), now);
  }
  if (pongs_left_ == 0) return;
  --pongs_left_;
  Follow(sender_.SayPong({ping.sequence, ping.sent_ns, ToMilliseconds(thread_->StuckFor(now))}));
}

// What cannot be a frame any more: the owner finds the same when it decodes these bytes.
bool Session::GiveRest(Bytes rest) {
  inbox_.PutRest(decoder_.Held(store_), rest);
  ReadOver();
  return false;
}

// How long the frame at hand has been on its way is counted from when its first bytes came.
void Session::NoteFrame(int64_t now) {
  if (options_.frame_timeout == 0 || lingering_) return;
  if (decoder_.held() == 0) {
    frame_due_ = kNever;
  } else if (frame_due_ == kNever || frame_at_ != decoder_.position()) {
    frame_due_ = now + options_.frame_timeout;
    frame_at_ = decoder_.position();
  }
}

void Session::OnFin() {
  inbox_.PutRest(decoder_.Held(store_), {});
  ReadOver();
}

void Session::ReadOver() {
  if (lingering_) return Abandon();
  inbox_.End();
  reading_ = false;
  frame_due_ = kNever;
  EndHeartbeat();
  TellNews();
  Follow(sender_.NoMoreCredit());
}

void Session::EndHeartbeat() {
  beating_ = false;
  Rearm();
}

void Session::OnTimer(int) {
  armed_at_ = kNever;
  const int64_t now = MonotonicNow();
  if (now >= linger_due_) return Abandon();
  if (now >= frame_due_) return End(SessionEnd::kFrameTimeout);
  if (beating_) {
    Monitor::Turn turn;
    {
      const std::lock_guard lock(mutex_);
      turn = monitor_.Advance(now);
    }
    if (turn.lost) return End(SessionEnd::kLost);
    if (turn.ping) SayPing(turn.seq, now);
  }
  TellNews();
}

void Session::SayPing(uint32_t sequence, int64_t now) {
  ping_waits_ = true;
  Follow(sender_.SayPing(
      {sequence, static_cast<uint64_t>(now), ToMilliseconds(thread_->StuckFor(now))}));
}

// It has its time to be answered from when it left.
void Session::NotePing() {
  if (!ping_waits_ || sender_.has_to_say()) return;
  ping_waits_ = false;
  const std::lock_guard lock(mutex_);
  monitor_.OnPingSent(MonotonicNow());
}

void Session::Rearm() {
  int64_t due = std::min(frame_due_, linger_due_);
  if (beating_) {
    const std::lock_guard lock(mutex_);
    due = std::min(due, monitor_.NextDue());
  }
  due = RoundedUp(due, quantum_);
  if (due == armed_at_) return;
  armed_at_ = due;
  if (due == kNever) {
    timer_.Cancel();
  } else {
    thread_->reactor().SetTimer(&timer_, due);
  }
}

// After whatever may have changed something.
void Session::TellNews() {
  if (finished_) return;
  Rearm();
  bool news = inbox_.TakeWaiter();
  {
    const std::lock_guard lock(mutex_);
    news |= monitor_.has_transitions();
  }
  if (news) thread_->Tell(id_);
}

void Session::End(SessionEnd end, int error) {
  if (finished_) return;
  finished_ = true;
  beating_ = reading_ = false;
  sender_.Close();
  inbox_.End();
  timer_.Cancel();
  Detach();
  {
    const std::lock_guard lock(mutex_);
    result_ = {end, error};
    over_ = true;
  }
  thread_->Finished(this);
}

void Session::Detach() {
  if (port_ == nullptr) return;
  thread_->ports().Detach(port_, Side::kRead);
  thread_->ports().Detach(port_, Side::kWrite);
  port_ = nullptr;
}

}  // namespace spliceway
