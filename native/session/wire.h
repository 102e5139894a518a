// The frames that a session says of itself: docs/wire-format.md. Numbers are big endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "codec/header_body.h"
#include "session/byte_queue.h"

namespace spliceway {

// What a PING or a PONG says. A PONG repeats the first two of the PING that it answers.
struct Beat {
  uint32_t sequence = 0;
  uint64_t sent_ns = 0;  // on the clock of the PING's sender
  uint32_t stuck_ms =
      0;  // how long JavaScript has not come back to its loop, at the sender of this
};

class Wire {
 public:
  // Their commands; with commands of two bytes, these with 0xff00 added.
  enum Control : uint8_t { kFirst = 0xf0, kPing = 0xf1, kPong = 0xf2, kCredit = 0xf3 };

  Wire(HeaderBody::Layout layout, size_t max_body)
      : layout_(layout), header_(layout.command_bytes), max_body_(max_body) {}

  const HeaderBody::Layout& layout() const { return layout_; }
  size_t max_body() const { return max_body_; }
  size_t head() const { return header_.size(); }
  // The largest frame that may come.
  size_t largest() const { return head() + max_body_; }
  // What a control frame's command is on the wire.
  uint32_t Command(Control control) const {
    return layout_.command_bytes == 1 ? uint32_t{control} : 0xff00U | control;
  }

  // Of the frame that `frames` begins with, of which the header is there.
  size_t SizeOf(Bytes frames) const { return head() + header_.Length(frames.data()); }

  // `control`: kPing or kPong.
  void PutBeat(Control control, const Beat& beat, ByteQueue* out) const;
  void PutCredit(uint32_t bytes, ByteQueue* out) const;

  // What such a frame's body says; nothing where it is too short.
  static std::optional<Beat> ReadBeat(Bytes body);
  static std::optional<uint32_t> ReadCredit(Bytes body);

 private:
  void Put(Control control, Bytes body, ByteQueue* out) const;

  HeaderBody::Layout layout_;
  Header header_;
  size_t max_body_;
};

}  // namespace spliceway
