// Threads of our own. Every signal is blocked in them: a signal that one took would end its wait,
// and the handler is meant for another thread.
#pragma once

#include <pthread.h>

#include <functional>
#include <optional>
#include <utility>

#include "sys/result.h"

namespace spliceway::sys {

// Joined when it is destroyed, unless it was let go before.
class Thread {
 public:
  static Result<Thread> Start(std::function<void()> body);

  Thread(Thread&& other) noexcept : handle_(std::exchange(other.handle_, std::nullopt)) {}
  Thread& operator=(Thread&&) = delete;
  ~Thread() { Join(); }

  void Join();
  // It runs on by itself, to the end of its body.
  void Detach();

 private:
  explicit Thread(pthread_t handle) : handle_(handle) {}

  std::optional<pthread_t> handle_;
};

}  // namespace spliceway::sys
