// What I/O threads have to tell the owner of a Reactor: ids of handles there that have news.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "core/reactor.h"

namespace spliceway {

class Outbox {
 public:
  // The reactor outlives every Push.
  explicit Outbox(Reactor* reactor) : reactor_(reactor) {}

  // From any thread. Wakes the reactor.
  void Push(std::span<const int32_t> ids) {
    {
      const std::lock_guard lock(mutex_);
      ids_.insert(ids_.end(), ids.begin(), ids.end());
    }
    reactor_->Wake();
  }

  // On the reactor's thread: each of them will be told in the next turn.
  void Deliver() {
    std::vector<int32_t> ids;
    {
      const std::lock_guard lock(mutex_);
      ids.swap(ids_);
    }
    for (const int32_t id : ids) {
      if (Pollable* handle = reactor_->Find(id)) handle->WakeUp(Side::kRead);
    }
  }

 private:
  Reactor* reactor_;
  std::mutex mutex_;
  std::vector<int32_t> ids_;
};

}  // namespace spliceway
