// Sockets: always non-blocking and close-on-exec, from the moment they exist.
#pragma once

#include <cstdint>
#include <optional>

#include "sys/fd.h"
#include "sys/result.h"
#include "sys/sockaddr.h"

namespace spliceway::sys {

enum class Family { kIp4, kIp6, kUnix };
enum class SocketType { kStream, kPacket, kDatagram, kRaw };
enum class ShutdownHow { kRead, kWrite, kBoth };

Result<OwnFd> Socket(Family family, SocketType type, int protocol = 0);
Status Bind(int fd, const SockAddr& addr);
Status Listen(int fd, int backlog);

// The next connection of a listening socket and, in `peer`, its address. ECONNABORTED (the peer
// gave up while it queued) and EINTR are tried again; an empty queue is the error EAGAIN.
Result<OwnFd> Accept(int fd, SockAddr* peer);

// EINPROGRESS comes back as an error: await writability, then ask PendingError.
Status Connect(int fd, const SockAddr& addr);
// SO_ERROR: the outcome of a connect in progress, or a reset nobody has been told about. 0: none.
int PendingError(int fd);

Status Shutdown(int fd, ShutdownHow how);

Result<SockAddr> LocalAddr(int fd);
Result<SockAddr> PeerAddr(int fd);  // ENOTCONN while a connect is in progress, and after a reset

// A duplicate that is close-on-exec, as every descriptor here.
Result<OwnFd> Duplicate(int fd);
Status SetNonBlocking(int fd);
Status SetCloseOnExec(int fd);

// What a descriptor that somebody else made is. Fails as Go's net.FileConn does, and in its order:
// fcntl for one that is not open, getsockopt for one that is no socket.
struct Description {
  std::optional<Family> family;    // nothing: none of those here
  std::optional<SocketType> type;  // nothing: none of those here
  bool listening;
};
Result<Description> Describe(int fd);
// Whether it is one end of a pipe, named or not.
bool IsFifo(int fd);
// A descriptor that stands for nothing, to be given up when the table is full (see core/listener).
Result<OwnFd> OpenReserve();

// SO_MAXCONN as the system is configured now; Go's listenerBacklog.
int MaxBacklog();

}  // namespace spliceway::sys
