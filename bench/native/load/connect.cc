#include <vector>

#include "fail.h"
#include "modes.h"
#include "slices.h"
#include "socket.h"

namespace bench {
namespace {

class Connect {
 public:
  explicit Connect(const Options& options)
      : target_(options.target), slices_(options), places_(options.connections) {
    for (size_t i = 0; i < places_.size(); i++) Open(i);
  }

  void Run() {
    slices_.Run([this] { poller_.Ask([this](uint64_t i, uint32_t events) { Serve(i, events); }); });
    slices_.Report("connections", nullptr);
  }

 private:
  struct Place {
    Fd fd;
    char byte = 0;
    bool sent = false;
  };

  void Open(size_t i) {
    Place& place = places_[i];
    place.byte = static_cast<char>(place.byte + 1);
    place.sent = false;
    place.fd = StartConnect(target_);
    ResetOnClose(place.fd.get());
    poller_.Add(place.fd.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, i);
  }

  void Serve(size_t i, uint32_t events) {
    Place& place = places_[i];
    if (events & (EPOLLERR | EPOLLHUP)) CheckConnected(place.fd.get());
    if (events & EPOLLRDHUP) Fail("the server ended a connection");
    if (!place.sent && (events & EPOLLOUT)) place.sent = Send(place.fd.get(), &place.byte, 1) == 1;
    if (events & EPOLLIN) Finish(i);
  }

  void Finish(size_t i) {
    Place& place = places_[i];
    char received[2];
    if (Receive(place.fd.get(), received, sizeof received) != 1) Fail("one byte went, more came");
    if (received[0] != place.byte) Fail("another byte came back than was sent");
    place.fd.Close();
    slices_.Count(1);
    Open(i);
  }

  const sockaddr_in target_;
  Slices slices_;
  Poller poller_;
  std::vector<Place> places_;
};

}  // namespace

void RunConnect(const Options& options) { Connect(options).Run(); }

}  // namespace bench
