#include "session/session_thread.h"

#include <utility>

namespace spliceway {

Result<std::unique_ptr<SessionThread>> SessionThread::Start(Outbox* outbox, LoopGauge* gauge) {
  std::unique_ptr<SessionThread> self(new SessionThread(outbox, gauge));
  auto io = IoThread::Start([raw = self.get()] { raw->TellNews(); });
  if (!io.ok()) return io.error();
  self->io_ = std::move(io.value());
  self->ports_.emplace(&self->io_->reactor());
  return self;
}

SessionThread::~SessionThread() {
  if (!io_) return;
  io_->Post([this] { StopAll(); });
  io_->Join();
}

void SessionThread::Begin(std::shared_ptr<Session> session) {
  io_->Post([this, session = std::move(session)] {
    active_.emplace(session.get(), session);
    session->Begin(this);
  });
}

// One that is over has nothing more to do here, whatever was posted meanwhile.
void SessionThread::Stop(std::shared_ptr<Session> session) {
  io_->Post([session = std::move(session)] { session->Stop(); });
}

void SessionThread::Finish(std::shared_ptr<Session> session) {
  io_->Post([session = std::move(session)] { session->Finish(); });
}

void SessionThread::Follow(std::shared_ptr<Session> session, Sender::After after) {
  io_->Post([session = std::move(session), after] { session->Follow(after); });
}

void SessionThread::SetInterval(std::shared_ptr<Session> session, int64_t interval) {
  io_->Post([session = std::move(session), interval] { session->SetInterval(interval); });
}

void SessionThread::Finished(Session* session) {
  const auto found = active_.find(session);
  finished_.push_back(std::move(found->second));
  active_.erase(found);
  Tell(session->id());
}

void SessionThread::StopAll() {
  const auto all = active_;
  for (const auto& [raw, session] : all) session->Abandon();
}

void SessionThread::TellNews() {
  if (!news_.empty()) outbox_->Push(news_);
  news_.clear();
  finished_.clear();
}

}  // namespace spliceway
