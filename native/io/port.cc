#include "io/port.h"

#include <cerrno>
#include <memory>

#include "core/reactor.h"

namespace spliceway {

// Readability is asked for at once, writability when a sink turns out full (AwaitEdge).
Status Port::Attach(Side side, User* user) {
  users_[static_cast<int>(side)] = user;
  return side == Side::kRead ? AddInterest(kReadable) : Status();
}

void Port::Detach(Side side) {
  users_[static_cast<int>(side)] = nullptr;
  SetAwait(side, Await::kNothing);
  RemoveInterest(side == Side::kRead ? kReadable : kWritable);
}

OwnFd Port::Release() {
  (void)Pollable::Release().Release();  // it was borrowed
  return {};
}

// The first user may detach the second, or itself.
void Port::OnNotice(Pollable&, uint32_t notice) {
  if ((notice & kNoticeReadable) != 0 && users_[0] != nullptr) users_[0]->OnPortReady();
  if ((notice & kNoticeWritable) != 0 && users_[1] != nullptr) users_[1]->OnPortReady();
}

Result<Port*> Ports::Attach(int fd, Side side, Port::User* user) {
  const auto index = static_cast<size_t>(fd);
  if (index >= ports_.size()) ports_.resize(index + 1);
  Port*& port = ports_[index];
  if (port == nullptr) port = reactor_->Adopt(std::make_unique<Port>(reactor_, fd));
  if (port == nullptr) return Error{"epoll_ctl", ENFILE};  // every slot is taken
  const Status attached = port->Attach(side, user);
  if (attached.ok()) return port;
  Detach(port, side);
  return attached.error();
}

void Ports::Detach(Port* port, Side side) {
  port->Detach(side);
  if (!port->unused()) return;
  ports_[static_cast<size_t>(port->fd())] = nullptr;
  reactor_->Close(port);
}

}  // namespace spliceway
