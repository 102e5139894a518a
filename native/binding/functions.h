// What each file of this folder adds to the addon's exports.
#pragma once

#include <node_api.h>

#include <span>

namespace spliceway {

struct Function {
  const char* name;
  napi_callback callback;
};

std::span<const Function> HandleFunctions();     // any handle: await, deadline, ref, close
std::span<const Function> StreamFunctions();     // read, write, shut down
std::span<const Function> ListenerFunctions();   // accept
std::span<const Function> SocketFunctions();     // make, bind, connect, listen
std::span<const Function> OptionFunctions();     // socket options, by meaning and by number
std::span<const Function> AdoptFunctions();      // sockets that somebody else made
std::span<const Function> LoopVisitFunctions();  // phases of Node's loop
std::span<const Function> InfoFunctions();       // what the kernel knows of a socket
std::span<const Function> TransferFunctions();   // relays and copies, on I/O threads
std::span<const Function> SessionFunctions();    // frames with a heartbeat, on I/O threads
std::span<const Function> PacketFunctions();     // send and receive datagrams
std::span<const Function> MulticastFunctions();  // groups, hop limits
std::span<const Function> SpliceFunctions();     // forward between two streams, a step at a time
std::span<const Function> UnixFunctions();       // credentials and descriptors of Unix sockets
std::span<const Function> CodecFunctions();      // CRC-32, frames
std::span<const Function> HealthFunctions();     // the health of plain streams

std::span<const Function> ChaosFunctions();  // proxies that impair

}  // namespace spliceway
