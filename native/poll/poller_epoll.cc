#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "poll/poller.h"
#include "sys/clock.h"

namespace spliceway {
namespace {

constexpr uint64_t kWakeTag = Poller::kMaxTag + 1;
constexpr uint64_t kTimerTag = Poller::kMaxTag + 2;

// More than this in one wait does not pay: the rest stays queued and the next wait takes it.
constexpr size_t kBatch = 256;

// EPOLLET without EPOLLONESHOT: re-arming would cost a system call for each event, and generations
// (slot_table.h) do its work. EPOLLPRI is asked for because a read that stops at the urgent mark is
// short without being the last; see Stream::Read.
uint32_t ToEpoll(uint32_t interest) {
  uint32_t events = EPOLLET;
  if ((interest & kReadable) != 0) events |= EPOLLIN | EPOLLRDHUP | EPOLLPRI;
  if ((interest & kWritable) != 0) events |= EPOLLOUT;
  return events;
}

uint32_t FromEpoll(uint32_t events) {
  uint32_t ready = 0;
  if ((events & EPOLLIN) != 0) ready |= kReadable;
  if ((events & EPOLLOUT) != 0) ready |= kWritable;
  if ((events & EPOLLRDHUP) != 0) ready |= kReadable | kReadClosed;
  if ((events & EPOLLPRI) != 0) ready |= kReadable | kPriority;
  // A hang-up and an error concern both directions: a waiting read or write must look and be told.
  if ((events & EPOLLHUP) != 0) ready |= kReadable | kWritable | kHangup;
  if ((events & EPOLLERR) != 0) ready |= kReadable | kWritable | kFailed;
  return ready;
}

Status Control(int queue, int op, int fd, uint64_t tag, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  if (epoll_ctl(queue, op, fd, &event) == 0) return {};
  return Error{"epoll_ctl", errno};
}

}  // namespace

Result<std::unique_ptr<Poller>> Poller::Open() {
  std::unique_ptr<Poller> poller(new Poller);
  poller->queue_ = OwnFd(epoll_create1(EPOLL_CLOEXEC));
  if (!poller->queue_) return Error{"epoll_create1", errno};
  poller->wake_ = OwnFd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!poller->wake_) return Error{"eventfd", errno};
  poller->timer_ = OwnFd(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!poller->timer_) return Error{"timerfd_create", errno};
  // Edge-triggered, so neither is ever read: each write and each expiry is an edge of its own.
  const int queue = poller->queue_.get();
  Status added = Control(queue, EPOLL_CTL_ADD, poller->wake_.get(), kWakeTag, EPOLLIN | EPOLLET);
  if (!added.ok()) return added.error();
  added = Control(queue, EPOLL_CTL_ADD, poller->timer_.get(), kTimerTag, EPOLLIN | EPOLLET);
  if (!added.ok()) return added.error();
  return poller;
}

Status Poller::Add(int fd, uint64_t tag, uint32_t interest) {
  return Control(queue_.get(), EPOLL_CTL_ADD, fd, tag, ToEpoll(interest));
}

Status Poller::Modify(int fd, uint64_t tag, uint32_t interest) {
  return Control(queue_.get(), EPOLL_CTL_MOD, fd, tag, ToEpoll(interest));
}

void Poller::Remove(int fd) {
  // ENOENT: it was not registered. Either way it is out of the set afterwards.
  (void)Control(queue_.get(), EPOLL_CTL_DEL, fd, 0, 0);
}

Status Poller::Arm(int64_t monotonic_ns) {
  itimerspec spec{};  // all zero disarms
  if (monotonic_ns != kNever) {
    const int64_t when = std::max<int64_t>(monotonic_ns, 1);
    spec.it_value.tv_sec = when / 1'000'000'000;
    spec.it_value.tv_nsec = when % 1'000'000'000;
  }
  if (timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr) < 0) {
    return Error{"timerfd_settime", errno};
  }
  armed_ = monotonic_ns;
  return {};
}

void Poller::Wake() {
  const uint64_t one = 1;
  // EAGAIN means 2^64 - 2 wake-ups were never read: impossible in practice, and it is awake anyway.
  (void)!write(wake_.get(), &one, sizeof(one));
}

size_t Poller::Wait(std::span<Event> out, int timeout_ms) {
  epoll_event events[kBatch];
  const int room = static_cast<int>(std::min(out.size(), kBatch));
  const int n = epoll_wait(queue_.get(), events, room, timeout_ms);
  size_t count = 0;
  for (int i = 0; i < n; ++i) {  // n < 0 is EINTR: nothing was harvested, the caller comes again
    const uint64_t tag = events[i].data.u64;
    if (tag == kTimerTag) armed_ = kNever;
    if (tag <= kMaxTag) out[count++] = {tag, FromEpoll(events[i].events)};
  }
  return count;
}

}  // namespace spliceway
