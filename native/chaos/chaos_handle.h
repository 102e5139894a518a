// A chaos proxy as its owner's reactor knows it: with the listener that was lent to it.
#pragma once

#include <memory>
#include <utility>

#include "chaos/chaos_proxy.h"
#include "core/lease.h"
#include "core/pollable.h"

namespace spliceway {

// Awaits nothing: the process lives for the listener, which is in use for as long as it is lent.
class ChaosHandle final : public Pollable {
 public:
  static constexpr Type kType = Type::kChaosProxy;

  ChaosHandle(Reactor* reactor, std::shared_ptr<Lease> lease, std::unique_ptr<ChaosProxy> proxy)
      : Pollable(kType, reactor, OwnFd()), lease_(std::move(lease)), proxy_(std::move(proxy)) {}

  ChaosProxy& proxy() { return *proxy_; }

 private:
  std::shared_ptr<Lease> lease_;  // before the proxy, which uses the descriptor until it is gone
  std::unique_ptr<ChaosProxy> proxy_;
};

}  // namespace spliceway
