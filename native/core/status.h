// Results of calls that JavaScript makes thousands of times a second: a count, a negative errno, or
// one of these. They lie outside the range of errno, so one number says everything.
#pragma once

#include <cerrno>
#include <cstdint>

namespace spliceway {

inline constexpr int32_t kAgain = -EAGAIN;
inline constexpr int32_t kClosed = -10001;   // no such handle: it was closed
inline constexpr int32_t kExpired = -10002;  // the deadline of that direction has passed
inline constexpr int32_t kBusy = -10003;     // a relay owns the stream

}  // namespace spliceway
