#include "chaos/chaos_proxy.h"

#include <cerrno>
#include <utility>

#include "sys/clock.h"
#include "sys/socket.h"

namespace spliceway {

Result<std::unique_ptr<ChaosProxy>> ChaosProxy::Start(const ChaosOptions& options) {
  std::unique_ptr<ChaosProxy> self(new ChaosProxy(options));
  auto io = IoThread::Start([raw = self.get()] { raw->over_.clear(); });
  if (!io.ok()) return io.error();
  self->io_ = std::move(io.value());
  self->ports_.emplace(&self->io_->reactor());
  return self;
}

ChaosProxy::~ChaosProxy() {
  if (!io_) return;
  io_->Post([this] {
    pause_.Cancel();
    if (listener_ != nullptr) ports_->Detach(listener_, Side::kRead);
    ForEachLink([](Link* link) { link->Close(); });
  });
  io_->Join();
}

void ChaosProxy::SetImpairment(int direction, const Impairment& impairment) {
  io_->Post([this, direction, impairment] {
    settings_[direction].impairment = impairment;
    ForEachLink([direction](Link* link) { link->Changed(direction); });
  });
}

void ChaosProxy::Begin() {
  io_->Post([this] { Listen(); });
}

void ChaosProxy::ResetAll() {
  io_->Post([this] { ForEachLink([](Link* link) { link->Reset(); }); });
}

// Links leave the table as they end, so it is not walked itself.
template <typename Act>
void ChaosProxy::ForEachLink(Act act) {
  std::vector<Link*> all;
  for (const auto& [link, owned] : links_) all.push_back(link);
  for (Link* link : all) act(link);
}

void ChaosProxy::Listen() {
  auto port = ports_->Attach(options_.listener, Side::kRead, this);
  if (!port.ok()) return io_->reactor().SetTimer(&pause_, MonotonicNow() + kPauseNs);
  listener_ = port.value();
  Accept();
}

// A table of descriptors that is full, say, is given time.
void ChaosProxy::Accept() {
  if (listener_ == nullptr) return Listen();
  for (int i = 0; i < kAcceptAtOnce; ++i) {
    SockAddr peer;
    auto client = sys::Accept(options_.listener, &peer);
    if (client.ok()) {
      Took(std::move(client.value()));
    } else if (client.error().number == EAGAIN && listener_->AwaitEdge(Side::kRead).ok()) {
      return;
    } else {
      return io_->reactor().SetTimer(&pause_, MonotonicNow() + kPauseNs);
    }
  }
  listener_->TellNextTurn(Side::kRead);
}

void ChaosProxy::Took(OwnFd client) {
  const uint64_t number = counters_.accepted.fetch_add(1, std::memory_order_relaxed) + 1;
  counters_.active.fetch_add(1, std::memory_order_relaxed);
  Link::Owner* self = this;
  auto link = std::make_unique<Link>(self, &settings_, options_.seed, number);
  Link* raw = link.get();
  links_.emplace(raw, std::move(link));
  raw->Begin(&io_->reactor(), &*ports_, std::move(client), options_.target);
}

void ChaosProxy::OnLinkOver(Link* link) {
  const auto found = links_.find(link);
  over_.push_back(std::move(found->second));
  links_.erase(found);
  counters_.active.fetch_sub(1, std::memory_order_relaxed);
}

void ChaosProxy::OnConnectFailed() { counters_.failed.fetch_add(1, std::memory_order_relaxed); }

}  // namespace spliceway
