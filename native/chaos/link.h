// A connection through a chaos proxy: a client, the target that it was connected to, and a lane
// each way.
#pragma once

#include <array>
#include <cstdint>

#include "chaos/lane.h"
#include "io/port.h"
#include "sys/fd.h"
#include "sys/sockaddr.h"

namespace spliceway {

class Link final : private Lane::Owner, private Port::User {
 public:
  class Owner {
   public:
    // Its last call.
    virtual void OnLinkOver(Link* link) = 0;
    virtual void OnConnectFailed() = 0;

   protected:
    ~Owner() = default;
  };

  // Directions: 0 from the client to the target, 1 back.
  Link(Owner* owner, std::array<LaneSettings, 2>* settings, uint64_t seed, uint64_t connection)
      : owner_(owner),
        lanes_{Lane(this, &(*settings)[0], seed, connection, 0),
               Lane(this, &(*settings)[1], seed, connection, 1)} {}

  // Connects to the target, and passes bytes from then on. The client is reset where it cannot.
  void Begin(Reactor* reactor, Ports* ports, OwnFd client, const SockAddr& target);
  void Changed(int direction) { lanes_[direction].Changed(); }
  // Ends it: with a reset of both sides, or as a process that exits would.
  void Reset();
  void Close();

 private:
  void OnPortReady() override;
  void OnLaneOver(DelayLine::End end) override;

  bool Connect(const SockAddr& target);
  void Connected();
  void Refuse();
  void StopConnecting();

  Owner* owner_;
  Reactor* reactor_ = nullptr;
  Ports* ports_ = nullptr;
  OwnFd client_;
  OwnFd target_;
  Port* connecting_ = nullptr;
  std::array<Lane, 2> lanes_;
  int lanes_over_ = 0;
  bool over_ = false;
};

}  // namespace spliceway
