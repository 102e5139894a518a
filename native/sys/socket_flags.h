// The system's numbers for the kinds of sockets here.
#pragma once

#include <sys/socket.h>

#include "sys/socket.h"

namespace spliceway::sys {

inline int FamilyFlag(Family family) {
  switch (family) {
    case Family::kIp4: return AF_INET;
    case Family::kIp6: return AF_INET6;
    case Family::kUnix: return AF_UNIX;
  }
  return AF_UNSPEC;
}

inline int TypeFlag(SocketType type) {
  switch (type) {
    case SocketType::kStream: return SOCK_STREAM;
    case SocketType::kPacket: return SOCK_SEQPACKET;
    case SocketType::kDatagram: return SOCK_DGRAM;
    case SocketType::kRaw: return SOCK_RAW;
  }
  return SOCK_STREAM;
}

}  // namespace spliceway::sys
