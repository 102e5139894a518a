#include "session/wire.h"

#include <gtest/gtest.h>

#include <string>

#include "support/frames.h"

namespace spliceway {
namespace {

constexpr HeaderBody::Layout kTwoBytes = {3, 2, 8};

std::string TextOf(const ByteQueue& queue) { return {queue.bytes().begin(), queue.bytes().end()}; }

TEST(Wire, SaysWhatTheDocumentHas) {
  const Wire wire(HeaderBody::Layout{}, 100);
  ByteQueue out;
  wire.PutBeat(Wire::kPong, {1, 2, 3}, &out);
  const std::string body("\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\3", 16);
  EXPECT_EQ(TextOf(out), test::HeaderBodyFrame(0xf2, body));
  EXPECT_EQ(wire.SizeOf(out.bytes()), out.size());
}

TEST(Wire, HasCommandsOfTwoBytes) {
  const Wire wire(kTwoBytes, 100);
  ByteQueue out;
  wire.PutCredit(0x01020304, &out);
  EXPECT_EQ(TextOf(out), test::HeaderBodyFrame(0xfff3, "\1\2\3\4", 2, 8, 3));
  EXPECT_EQ(wire.Command(Wire::kFirst), 0xfff0u);
}

TEST(Wire, ReadsWhatItWrote) {
  const Wire wire(HeaderBody::Layout{}, 100);
  ByteQueue out;
  wire.PutBeat(Wire::kPing, {UINT32_MAX, UINT64_MAX - 1, 7}, &out);
  const auto beat = Wire::ReadBeat(out.bytes().subspan(wire.head()));
  ASSERT_TRUE(beat.has_value());
  EXPECT_EQ(beat->sequence, UINT32_MAX);
  EXPECT_EQ(beat->sent_ns, UINT64_MAX - 1);
  EXPECT_EQ(beat->stuck_ms, 7u);
}

TEST(Wire, TakesLongerBodiesAndNoShorterOnes) {
  EXPECT_TRUE(Wire::ReadBeat(test::BytesOf("0123456789abcdef and more")));
  EXPECT_FALSE(Wire::ReadBeat(test::BytesOf("0123456789abcde")));
  EXPECT_FALSE(Wire::ReadCredit(test::BytesOf("abc")));
  EXPECT_FALSE(Wire::ReadCredit({}));
}

}  // namespace
}  // namespace spliceway
