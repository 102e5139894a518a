// close(2) where it may block: on a TCP connection with a linger time it waits until the peer has
// acknowledged everything, up to that time, even though the descriptor is non-blocking (Linux; the
// BSDs let a non-blocking one go on in the background).
#pragma once

#include "sys/fd.h"

namespace spliceway::sys {

// Whether closing the descriptor would wait.
bool Lingers(int fd);

// Closes it on a thread of its own and returns at once. The thread lives as long as close(2) waits,
// touches nothing but the descriptor, and nobody waits for it: it holds up neither the end of the
// process, which ends the wait, nor that of an environment. Past kLingeringAtMost of them the
// linger time is given up, and the kernel goes on in the background, as it does without one.
void CloseLingering(OwnFd fd);

inline constexpr int kLingeringAtMost = 64;

}  // namespace spliceway::sys
