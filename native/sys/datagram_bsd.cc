// One datagram for each system call: macOS has no other way, and where a BSD has one it is a loop
// around the same.
#include "sys/datagram.h"

namespace spliceway::sys {

int64_t ReceiveDatagrams(int fd, std::span<Datagram> datagrams) {
  int64_t count = 0;
  for (Datagram& datagram : datagrams) {
    const int64_t n = ReceiveDatagram(fd, &datagram);
    if (n < 0) return count > 0 ? count : n;
    ++count;
  }
  return count;
}

int64_t SendDatagrams(int fd, std::span<const Datagram> datagrams) {
  int64_t count = 0;
  for (const Datagram& datagram : datagrams) {
    const int64_t n = SendDatagram(fd, datagram);
    if (n < 0) return count > 0 ? count : n;
    ++count;
  }
  return count;
}

bool CanSegment(int) { return false; }
void SetCoalescing(int, bool) {}
bool SegmentingFailed(int) { return false; }

}  // namespace spliceway::sys
