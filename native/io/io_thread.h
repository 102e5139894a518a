// A thread that hosts a Reactor: the third seat, beside Node's loop and the unit tests. What runs
// there goes on while JavaScript is busy.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "core/reactor.h"
#include "sys/result.h"
#include "sys/thread.h"

namespace spliceway {

class IoThread {
 public:
  using Task = std::function<void()>;

  // `after_turn` is called on the thread after every turn and the tasks that came with it, when
  // nothing else of this thread is on the stack.
  static Result<std::unique_ptr<IoThread>> Start(Task after_turn);
  ~IoThread() { Join(); }

  // Runs what was posted before, then ends the thread.
  void Join();

  // From any thread: runs the task on this one, in the order of posting.
  void Post(Task task);

  // For what runs on the thread.
  Reactor& reactor() { return *reactor_; }

 private:
  IoThread(std::unique_ptr<Reactor> reactor, Task after_turn)
      : reactor_(std::move(reactor)), after_turn_(std::move(after_turn)) {}

  void Run();
  bool RunPosted();

  std::unique_ptr<Reactor> reactor_;
  Task after_turn_;
  std::mutex mutex_;
  std::vector<Task> posted_;
  bool stopping_ = false;
  std::optional<sys::Thread> thread_;  // last, so that it ends before what it uses
};

}  // namespace spliceway
