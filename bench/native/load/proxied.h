// A proxy under test: its client and its target are both in this process.
#pragma once

#include "options.h"
#include "socket.h"

namespace bench {

// A stream through the proxy, by its two ends.
struct Proxied {
  Fd client, target;
};

class Proxy {
 public:
  // The proxy must be told its target before it starts, and it must run before it can be told here:
  // prints the target's address, then waits for a line "HOST:PORT PID" on standard input, and
  // enters both into the options.
  explicit Proxy(Options* options);

  // One at a time, so that it is known which ends belong together.
  Proxied Open(int from_address) const;

 private:
  const Options& options_;
  Fd listener_;
};

}  // namespace bench
