// Blocking, for threads that do nothing else.
#pragma once

namespace spliceway::sys {

// Returns once `fd` is readable; sooner only if the descriptor cannot be waited for at all.
void WaitReadable(int fd);

}  // namespace spliceway::sys
