// A connection's descriptor on an I/O thread: who reads from it there, and who writes to it.
#pragma once

#include <array>
#include <vector>

#include "core/pollable.h"

namespace spliceway {

// The descriptor is borrowed: whoever lent it keeps it open for as long as the port is there.
class Port final : public Pollable, private Watcher {
 public:
  static constexpr Type kType = Type::kPort;

  class User {
   public:
    // The call for which this user waited is worth trying again.
    virtual void OnPortReady() = 0;

   protected:
    ~User() = default;
  };

  Port(Reactor* reactor, int fd) : Pollable(kType, reactor, OwnFd(fd)) {
    MarkShared();
    SetWatcher(this);
  }

  // The pair of calls around a user's time here. Each side has one user at most.
  Status Attach(Side side, User* user);
  void Detach(Side side);
  bool unused() const { return users_[0] == nullptr && users_[1] == nullptr; }

  OwnFd Release() override;

 private:
  void OnNotice(Pollable& self, uint32_t notice) override;

  std::array<User*, 2> users_ = {};
};

// A thread's ports. One descriptor has one, however many directions of it were lent: a poller knows
// a descriptor once.
class Ports {
 public:
  explicit Ports(Reactor* reactor) : reactor_(reactor) {}

  Result<Port*> Attach(int fd, Side side, Port::User* user);
  void Detach(Port* port, Side side);

 private:
  Reactor* reactor_;
  std::vector<Port*> ports_;  // by descriptor, of which the kernel hands out the smallest
};

}  // namespace spliceway
