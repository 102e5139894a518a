#include "io/io_thread.h"

#include <utility>

namespace spliceway {

Result<std::unique_ptr<IoThread>> IoThread::Start(Task after_turn) {
  auto reactor = Reactor::Create();
  if (!reactor.ok()) return reactor.error();
  std::unique_ptr<IoThread> self(new IoThread(std::move(reactor.value()), std::move(after_turn)));
  auto thread = sys::Thread::Start([raw = self.get()] { raw->Run(); });
  if (!thread.ok()) return thread.error();
  self->thread_.emplace(std::move(thread.value()));
  return self;
}

void IoThread::Join() {
  if (!thread_) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  reactor_->Wake();
  thread_.reset();
}

void IoThread::Post(Task task) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  // The others find it awake, or about to look.
  if (first) reactor_->Wake();
}

// What was posted comes first: a deadline that its owner saw pass before the bytes came is to be
// known when the bytes are. Everybody here is told by a watcher; the reactor wants a place for
// records all the same.
void IoThread::Run() {
  int32_t pairs[2];
  for (;;) {
    reactor_->Harvest(-1);
    if (!RunPosted()) break;
    Records records{pairs, 1, 0};
    reactor_->Deliver(&records);
    after_turn_();
  }
  after_turn_();
}

bool IoThread::RunPosted() {
  std::vector<Task> tasks;
  bool stopping = false;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
    stopping = stopping_;
  }
  for (const Task& task : tasks) task();
  return !stopping;
}

}  // namespace spliceway
