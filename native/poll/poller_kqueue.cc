// The Poller of macOS and the BSDs: kqueue with EVFILT_USER for Wake and EVFILT_TIMER for Arm. What
// is not as with epoll, and why the contract of poller.h holds all the same:
//
//  - Reading and writing are filters of their own, so one descriptor may take two places in a
//    batch. Handles keep their directions apart anyway, and the tag of the second event finds
//    nothing if the first one led to a close.
//  - EV_CLEAR is an edge in the sense of the contract: every arrival (bytes, a FIN, an error, room
//    in the send buffer) activates the filter anew, even if the last event was never acted on. An
//    arrival that was read before its event is harvested is dropped by the kernel, which looks at
//    the socket again at that moment. EV_ADD on a filter that exists replaces its tag and looks as
//    well: that is what makes Add and Modify report what is there.
//  - A FIN or a reset sets EV_EOF on the event that tells of the bytes before it, so kReadClosed is
//    said in time for Stream::Read. SO_ERROR comes along in fflags without being used up.
//  - kHangup is never said. EV_EOF on the write filter also follows our own shutdown(2), so it
//    proves nothing about reading; when both directions are over, both filters fire.
//  - Urgent data. On macOS NOTE_OOB makes the read filter tell of the mark (it is documented for
//    EVFILT_EXCEPT, which would be a second registration and a second event for all data; the
//    kernel's filt_soread_common treats both alike). The other systems have no such note: there
//    every event says kPriority, and a short read is followed by one more that says EAGAIN.
//  - A filter belongs to the number of a descriptor, not to what is open under it: closing ours
//    unregisters it even if a duplicate lives on. Remove is then not needed, and does no harm.
//  - The timer runs on an interval. The kernel counts in ticks of its own, cuts off fractions, and
//    on macOS its absolute timers mean the wall clock. Wait looks at the clock before it believes
//    an expiry, so none is early; what is further off than kLongestInterval takes several.
//  - The queue is not inherited by a fork, which makes it close-on-exec.
// clang-format off
#include <sys/types.h>  // first, for OpenBSD
#include <sys/event.h>
// clang-format on

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include "poll/poller.h"
#include "sys/clock.h"

namespace spliceway {
namespace {

// More than this in one wait does not pay: the rest stays queued and the next wait takes it.
constexpr size_t kBatch = 256;

// Filters have namespaces of their own, so these cannot be taken for descriptors.
constexpr uintptr_t kWakeIdent = 0;
constexpr uintptr_t kTimerIdent = 0;

// Far below what any system's timers overflow at.
constexpr int64_t kLongestInterval = int64_t{24} * 3600 * 1'000'000'000;
// Makes up for what is cut off in the conversion to ticks, of which the longest is 42 ns.
constexpr int64_t kRoundUp = 1'000;

#ifdef __APPLE__
constexpr uint32_t kReadNotes = NOTE_OOB;
constexpr uint32_t kEveryRead = 0;
// CONTINUOUS: like the clock in sys/clock.cc, it goes on while the machine sleeps.
constexpr uint32_t kTimerNotes = NOTE_NSECONDS | NOTE_MACH_CONTINUOUS_TIME;
#else
constexpr uint32_t kReadNotes = 0;
constexpr uint32_t kEveryRead = kPriority;
constexpr uint32_t kTimerNotes = NOTE_NSECONDS;
#endif

using Change = struct kevent;

static_assert(sizeof(Change::udata) >= sizeof(uint64_t), "a tag has to fit");

Change MakeChange(uintptr_t ident, int filter, int flags, uint32_t notes = 0, int64_t data = 0) {
  Change change;
  EV_SET(&change, ident, filter, flags, notes, data, nullptr);
  return change;
}

// The same change for each direction in `interest`. Returns how many that are: one or two.
int MakeChanges(Change* out, int fd, uint64_t tag, uint32_t interest, int flags) {
  int count = 0;
  const auto ident = static_cast<uintptr_t>(fd);
  if ((interest & kReadable) != 0) {
    out[count++] = MakeChange(ident, EVFILT_READ, flags, kReadNotes);
  }
  if ((interest & kWritable) != 0) out[count++] = MakeChange(ident, EVFILT_WRITE, flags);
  for (int i = 0; i < count; ++i) {
    out[i].udata = reinterpret_cast<void*>(static_cast<uintptr_t>(tag));
  }
  return count;
}

// With no room for events, the kernel stops at the first change that fails and says why.
Status Submit(int queue, const Change* changes, int count) {
  // EINTR: the changes have been made.
  if (kevent(queue, changes, count, nullptr, 0, nullptr) == 0 || errno == EINTR) return {};
  return Error{"kevent", errno};
}

// ENOENT comes from deletions only.
Status UnlessAbsent(Status status) { return status.error().number == ENOENT ? Status() : status; }

int64_t UntilThen(int64_t monotonic_ns) {
  const int64_t now = MonotonicNow();
  return monotonic_ns <= now ? 0 : std::min(monotonic_ns - now, kLongestInterval);
}

uint32_t FromRead(const Change& event) {
  uint32_t ready = kReadable | kEveryRead;
  if ((event.flags & EV_EOF) != 0) {
    ready |= kReadClosed;
    // EV_EOF stays set once it was, so the notes may be those of an event without an error.
    if ((event.fflags & ~kReadNotes) != 0) ready |= kWritable | kFailed;
  }
  if ((event.fflags & kReadNotes) != 0) ready |= kPriority;
  return ready;
}

uint32_t FromWrite(const Change& event) {
  const bool failed = (event.flags & EV_EOF) != 0 && event.fflags != 0;
  // An error concerns both directions: a waiting read must look and be told.
  return failed ? kReadable | kWritable | kFailed : kWritable;
}

}  // namespace

Result<std::unique_ptr<Poller>> Poller::Open() {
  std::unique_ptr<Poller> poller(new Poller);
  poller->queue_ = OwnFd(kqueue());
  if (!poller->queue_) return Error{"kqueue", errno};
  const Change wake = MakeChange(kWakeIdent, EVFILT_USER, EV_ADD | EV_CLEAR);
  if (Status added = Submit(poller->fd(), &wake, 1); !added.ok()) return added.error();
  return poller;
}

Status Poller::Add(int fd, uint64_t tag, uint32_t interest) {
  Change changes[2];
  const int count = MakeChanges(changes, fd, tag, interest, EV_ADD | EV_CLEAR);
  return Submit(queue_.get(), changes, count);
}

// Additions first: the filter to delete may not be there, and nothing after it would be done.
Status Poller::Modify(int fd, uint64_t tag, uint32_t interest) {
  Change changes[2];
  const int added = MakeChanges(changes, fd, tag, interest, EV_ADD | EV_CLEAR);
  const int deleted = MakeChanges(changes + added, fd, 0, ~interest, EV_DELETE);
  return UnlessAbsent(Submit(queue_.get(), changes, added + deleted));
}

void Poller::Remove(int fd) {
  for (const uint32_t direction : {kReadable, kWritable}) {
    Change change;
    const int count = MakeChanges(&change, fd, 0, direction, EV_DELETE);
    // ENOENT: it was not registered. Either way it is out of the queue afterwards.
    (void)Submit(queue_.get(), &change, count).ok();
  }
}

Status Poller::Arm(int64_t monotonic_ns) {
  Change timer = MakeChange(kTimerIdent, EVFILT_TIMER, EV_DELETE);
  if (monotonic_ns != kNever) {
    const int64_t interval = UntilThen(monotonic_ns) + kRoundUp;
    timer = MakeChange(kTimerIdent, EVFILT_TIMER, EV_ADD | EV_ONESHOT, kTimerNotes, interval);
  }
  Status status = UnlessAbsent(Submit(queue_.get(), &timer, 1));
  if (status.ok()) armed_ = monotonic_ns;
  return status;
}

void Poller::Wake() {
  const Change wake = MakeChange(kWakeIdent, EVFILT_USER, 0, NOTE_TRIGGER);
  // Allocates nothing, so it cannot fail while the queue is open.
  (void)Submit(queue_.get(), &wake, 1).ok();
}

size_t Poller::Wait(std::span<Event> out, int timeout_ms) {
  Change events[kBatch];
  const int room = static_cast<int>(std::min(out.size(), kBatch));
  const timespec limit{timeout_ms / 1000, timeout_ms % 1000 * 1'000'000};
  const int n = kevent(fd(), nullptr, 0, events, room, timeout_ms < 0 ? nullptr : &limit);
  size_t count = 0;
  bool expired = false;
  for (int i = 0; i < n; ++i) {  // n < 0 is EINTR: nothing was harvested, the caller comes again
    const Change& event = events[i];
    const auto tag = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(event.udata));
    if (event.filter == EVFILT_TIMER) expired = true;
    if (event.filter == EVFILT_READ) out[count++] = {tag, FromRead(event)};
    if (event.filter == EVFILT_WRITE) out[count++] = {tag, FromWrite(event)};
  }
  if (!expired) return count;
  // Not due: the interval was cut at the longest, the clocks drifted apart, or the timer was moved
  // after it had fired. If it cannot be set again, the owner finds it disarmed and tries.
  const int64_t when = std::exchange(armed_, kNever);
  if (when != kNever && when > MonotonicNow()) (void)Arm(when).ok();
  return count;
}

}  // namespace spliceway
