#include "core/pollable.h"

#include <utility>

#include "core/reactor.h"
#include "sys/clock.h"

namespace spliceway {

Pollable::Pollable(Type type, Reactor* reactor, OwnFd fd)
    : reactor_(reactor), fd_(std::move(fd)), type_(type) {}
Pollable::~Pollable() = default;

// Interest is kept only in what was registered: another handle may have the same descriptor, whose
// registration letting go of this one must not end.
Status Pollable::Register(uint32_t interest) {
  const Status added = reactor_->poller_->Add(fd(), name_.tag(), interest);
  if (added.ok()) interest_ = interest;
  return added;
}

Status Pollable::AddInterest(uint32_t interest) {
  if (interest_ == 0) return Register(interest);
  if ((interest_ | interest) == interest_) return {};
  interest_ |= interest;
  return reactor_->poller_->Modify(fd(), name_.tag(), interest_);
}

void Pollable::RemoveInterest(uint32_t interest) {
  if ((interest_ & interest) == 0) return;
  interest_ &= ~interest;
  // Modify fails for no descriptor that is registered.
  if (interest_ != 0) (void)reactor_->poller_->Modify(fd(), name_.tag(), interest_).ok();
  if (interest_ == 0) reactor_->poller_->Remove(fd());
}

std::shared_ptr<Lease> Pollable::Lend(Side side, Loan loan) {
  if (!lease_) lease_ = std::make_shared<Lease>();
  RemoveInterest(side == Side::kRead ? kReadable : kWritable);
  SetLent(side, true, loan == Loan::kInUse);
  SetAwait(side, Await::kAlways);  // of its deadline
  return lease_;
}

void Pollable::SetLent(Side side, bool lent, bool in_use) {
  const bool before = keeps_alive();
  half(side).lent = lent;
  half(side).in_use = in_use;
  UpdateAlive(before);
}

Status Pollable::TakeBack(Side side) {
  SetLent(side, false, false);
  half(side).ready = true;  // only EAGAIN says otherwise
  SetAwait(side, Await::kNothing);
  return side == Side::kRead ? AddInterest(kReadable) : Status();
}

Status Pollable::TakeOver(Pollable* other, uint32_t interest) {
  const bool registered = other->interest_ != 0;
  fd_ = std::move(other->fd_);
  shared_ = other->shared_;
  may_linger_ = other->may_linger_;
  if (!registered) return Register(interest);
  interest_ = interest;
  return reactor_->poller_->Modify(fd(), name_.tag(), interest);
}

Status Pollable::TakeIn(OwnFd* fd, uint32_t interest) {
  fd_ = std::move(*fd);
  shared_ = may_linger_ = true;
  const Status registered = Register(interest);
  if (!registered.ok()) *fd = std::move(fd_);
  return registered;
}

void Pollable::SetTimer(Timer* timer, int64_t when_ns) { reactor_->SetTimer(timer, when_ns); }

OwnFd Pollable::Release() {
  // A descriptor that lives on, or that closes elsewhere, would stay registered.
  const bool leased = lease_ && lease_.use_count() > 1;
  if ((shared_ || may_linger_ || leased) && interest_ != 0) reactor_->poller_->Remove(fd());
  const bool before = keeps_alive();
  halves_[0] = halves_[1] = Half{};
  UpdateAlive(before);
  deadlines_.reset();
  if (leased) lease_->Inherit(std::move(fd_), may_linger_);
  return std::move(fd_);
}

bool Pollable::keeps_alive() const {
  const auto lives = [](const Half& h) { return h.awaited() || h.in_use; };
  return ref_ && (lives(halves_[0]) || lives(halves_[1]));
}

void Pollable::UpdateAlive(bool before) {
  const bool now = keeps_alive();
  if (now != before) reactor_->alive_ += now ? 1 : -1;
}

void Pollable::SetRef(bool on) {
  const bool before = keeps_alive();
  ref_ = on;
  UpdateAlive(before);
}

void Pollable::SetAwait(Side side, Await await) {
  const bool before = keeps_alive();
  half(side).await = await;
  UpdateAlive(before);
  // No edge will come for what is ready already, and no timer for a deadline that passed meanwhile.
  const Half& h = half(side);
  if (h.wanted() && (h.ready || h.tell_expired)) reactor_->Queue(this);
}

void Pollable::WakeUp(Side side) {
  half(side).ready = true;
  if (half(side).wanted()) reactor_->Queue(this);
}

void Pollable::TellNextTurn(Side side) {
  SetAwait(side, Await::kOnce);
  WakeUp(side);
}

Status Pollable::AwaitEdge(Side side) {
  half(side).ready = false;
  if (side == Side::kWrite) {
    if (const Status added = AddInterest(kWritable); !added.ok()) return added;
  }
  SetAwait(side, Await::kOnce);
  return {};
}

bool Pollable::SetDeadline(Side side, int64_t monotonic_ns) {
  Half& h = half(side);
  const int which = static_cast<int>(side);
  h.tell_expired = false;
  if (monotonic_ns == kNever) {
    h.expired = false;
    if (deadlines_) {
      deadlines_->timers[which].Cancel();
      deadlines_->when[which] = kNever;
    }
    return false;
  }
  if (!deadlines_) deadlines_ = std::make_unique<Deadlines>(this);
  deadlines_->when[which] = monotonic_ns;
  h.expired = HasPassed(monotonic_ns);
  if (h.expired) {
    deadlines_->timers[which].Cancel();
  } else {
    reactor_->SetTimer(&deadlines_->timers[which], monotonic_ns);
  }
  return h.expired;
}

int32_t Pollable::Check(Side side, Call call) const {
  if (watcher_ != nullptr) return kBusy;
  return call == Call::kNew && Expired(side) ? kExpired : 0;
}

// The clock is asked as well, since the timer may be due and not have run yet.
bool Pollable::Expired(Side side) const {
  if (!deadlines_) return false;
  return half(side).expired || HasPassed(deadlines_->when[static_cast<int>(side)]);
}

void Pollable::OnReady(uint32_t ready) {
  if ((ready & kReadable) != 0) halves_[0].ready = true;
  if ((ready & kWritable) != 0) halves_[1].ready = true;
  Notify(TakeNotices());
}

void Pollable::OnLeftover() { Notify(TakeNotices()); }

// Told in OnLeftover rather than here: any number of timers may fire at once, while a list of
// records has an end.
void Pollable::OnTimer(int which) {
  halves_[which].expired = true;
  halves_[which].tell_expired = true;
  if (halves_[which].wanted()) reactor_->Queue(this);
}

uint32_t Pollable::TakeNotices() {
  static constexpr uint32_t kReadyNotice[] = {kNoticeReadable, kNoticeWritable};
  static constexpr uint32_t kExpiredNotice[] = {kNoticeReadExpired, kNoticeWriteExpired};
  const bool before = keeps_alive();
  uint32_t notices = 0;
  for (int i = 0; i < 2; ++i) {
    Half& h = halves_[i];
    const bool ready = h.ready && !h.lent;
    if (!h.wanted() || (!ready && !h.tell_expired)) continue;
    if (ready) notices |= kReadyNotice[i];
    if (h.tell_expired) notices |= kExpiredNotice[i];
    h.tell_expired = false;
    if (h.once()) h.await = Await::kNothing;
  }
  UpdateAlive(before);
  return notices;
}

void Pollable::Notify(uint32_t notice) {
  if (notice == 0) return;
  if (watcher_ != nullptr) {
    watcher_->OnNotice(*this, notice);
  } else {
    reactor_->records_->Push(id(), notice);
  }
}

}  // namespace spliceway
