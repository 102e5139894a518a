// What keeps a descriptor open that an I/O thread still uses when its handle is closed.
#pragma once

#include <utility>

#include "sys/fd.h"
#include "sys/linger.h"

namespace spliceway {

// Shared by the handle and those it has lent the descriptor to, all on the handle's thread. The
// last of them to let go closes it.
class Lease {
 public:
  Lease() = default;
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    if (may_linger_ && fd_ && sys::Lingers(fd_.get())) sys::CloseLingering(std::move(fd_));
  }

  // From the handle, which is being closed.
  void Inherit(OwnFd fd, bool may_linger) {
    fd_ = std::move(fd);
    may_linger_ = may_linger;
  }

 private:
  OwnFd fd_;  // empty while the handle has it
  bool may_linger_ = false;
};

}  // namespace spliceway
