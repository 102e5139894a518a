// Reading and writing. Results are the kernel's: a count, or a negative errno. EINTR never comes
// out, and a peer that has gone never raises SIGPIPE.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

namespace spliceway::sys {

int64_t Receive(int fd, void* p, size_t n);
// The same, and the bytes stay where they are.
int64_t Peek(int fd, void* p, size_t n);
int64_t Send(int fd, const void* p, size_t n);
// At most IOV_MAX slices are looked at; the rest is for the caller's next call.
int64_t SendVector(int fd, const iovec* slices, size_t count);

// For descriptors that are not sockets: files and pipes.
int64_t ReadFile(int fd, void* p, size_t n);
int64_t ReadFileAt(int fd, void* p, size_t n, int64_t offset);
int64_t WriteFile(int fd, const void* p, size_t n);

}  // namespace spliceway::sys
