// Where frames begin and end: what a decoder asks. One file for each way to tell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace spliceway {

using Bytes = std::span<const uint8_t>;

// What can be wrong with a frame. The numbers are those of lib/codec/frame-error.ts.
enum class Fault : uint8_t {
  kNone,
  kMagic,      // it does not begin as a frame does
  kVersion,    // of another version
  kCrc,        // not the bytes that were sent
  kTooLarge,   // a body of more than is allowed
  kLength,     // a length that cannot be, or is not written as one
  kTruncated,  // the stream ended inside it
};

// What one look at the start of a frame comes to.
struct Look {
  enum class Kind : uint8_t { kFrame, kMore, kBad };

  Kind kind;
  Fault fault = Fault::kNone;
  uint32_t command = 0;
  size_t size = 0;    // kFrame: of all of it. kMore: how many bytes make another look worth it
  size_t body = 0;    // where the body begins, counted from the frame's start
  size_t length = 0;  // of the body

  static constexpr Look Frame(size_t size, size_t body, size_t length, uint32_t command = 0) {
    return {Kind::kFrame, Fault::kNone, command, size, body, length};
  }
  static constexpr Look More(size_t size) { return {Kind::kMore, Fault::kNone, 0, size, 0, 0}; }
  static constexpr Look Bad(Fault fault) { return {Kind::kBad, fault, 0, 0, 0, 0}; }
};

class Framing {
 public:
  virtual ~Framing() = default;

  // Looks at the frame that `data`, which is not empty, begins with. An earlier look at its first
  // `seen` bytes came to kMore. Costs no more than a frame of the largest size does.
  virtual Look At(Bytes data, size_t seen) const = 0;

  // The same where the stream ends with `data`.
  virtual Look AtEnd(Bytes) const { return Look::Bad(Fault::kTruncated); }

  // After a bad frame at the start of `data`: how many bytes further another may begin, at least 1
  // and at most all of them. 0 where a frame's start cannot be told from anything else.
  virtual size_t NextStart(Bytes) const { return 0; }
};

}  // namespace spliceway
