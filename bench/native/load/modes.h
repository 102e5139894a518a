// What this program can do; each has a file of its own.
#pragma once

#include "options.h"

namespace bench {

// Messages to an echo server, a fixed number of them in flight on each connection.
void RunEcho(const Options& options);

// Connections that carry one byte there and back.
void RunConnect(const Options& options);

// Requests to an http server, one at a time on each connection.
void RunHTTP(const Options& options);

// Connections that had one message echoed and are then held until standard input ends.
void RunIdle(const Options& options);

// Bytes through a proxy; both its client and its target are here.
void RunForward(const Options& options);

// Messages through a proxy and back, one at a time on each connection.
void RunPingPong(const Options& options);

// A file from a server that sends it to whoever connects.
void RunReceive(const Options& options);

// Lines to a server that counts them, and frames.
void RunLines(const Options& options);
void RunFrames(const Options& options);

// Datagrams to a UDP echo server, a fixed number of them on their way at each peer.
void RunPackets(const Options& options);

}  // namespace bench
