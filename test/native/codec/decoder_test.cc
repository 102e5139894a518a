#include "codec/decoder.h"

#include <gtest/gtest.h>

#include <functional>

#include "codec/delimited.h"
#include "codec/fixed_size.h"
#include "codec/header_body.h"
#include "codec/length_prefix.h"
#include "codec/netstring.h"
#include "support/frames.h"

namespace spliceway {
namespace {

using test::Feeder;
using test::Frame;
using test::HeaderBodyFrame;

constexpr size_t kMax = 1000;
constexpr auto kResynchronise = Decoder::Policy::kResynchronise;

std::unique_ptr<Framing> Framed(HeaderBody::Layout layout = {}, size_t max = kMax) {
  return std::make_unique<HeaderBody>(layout, max);
}

std::string Pattern(size_t n, char first = 'a') {
  std::string text(n, ' ');
  for (size_t i = 0; i < n; ++i) text[i] = static_cast<char>(first + i % 23);
  return text;
}

// Bodies of all sizes up to the largest, some of them empty.
std::vector<Frame> SomeFrames() {
  std::vector<Frame> frames;
  for (uint32_t i = 0; i < 40; ++i) frames.push_back({i, Pattern(i * i % kMax)});
  frames.push_back({200, Pattern(kMax)});
  frames.push_back({201, ""});
  return frames;
}

std::string StreamOf(const std::vector<Frame>& frames) {
  std::string stream;
  for (const auto& [command, body] : frames) stream += HeaderBodyFrame(command, body);
  return stream;
}

TEST(Decoder, GivesTheSameFramesHoweverTheStreamIsCut) {
  const auto frames = SomeFrames();
  const std::string stream = StreamOf(frames);
  for (size_t size = 1; size < 2 * kMax; size += 1 + size / 9) {
    Feeder feeder(Framed());
    ASSERT_TRUE(feeder.FeedInPieces(stream, size)) << size;
    ASSERT_TRUE(feeder.Finish()) << size;
    ASSERT_EQ(feeder.frames(), frames) << size;
    EXPECT_EQ(feeder.decoder().position(), stream.size());
  }
}

TEST(Decoder, CopiesNothingOfFramesThatAreWholeInTheirChunk) {
  Feeder feeder(Framed());
  EXPECT_TRUE(feeder.Feed(StreamOf(SomeFrames())));
  EXPECT_EQ(feeder.store_size(), 0u);
  EXPECT_EQ(feeder.frames(), SomeFrames());
}

TEST(Decoder, NeedsFewCallsForASplitFrame) {
  const std::string frame = HeaderBodyFrame(1, Pattern(300));
  Feeder feeder(Framed());
  feeder.Feed(frame.substr(0, 100));
  feeder.Feed(frame.substr(100) + frame + frame.substr(0, 50));
  EXPECT_EQ(feeder.frames().size(), 2u);
  EXPECT_EQ(feeder.calls(), 2u + 3u);  // the room for it; its end, the next one, the rest
}

TEST(Decoder, LeavesTheStoreAloneWhileAFrameInItMayBeLookedAt) {
  const std::string one = HeaderBodyFrame(1, Pattern(20, 'a'));
  const std::string two = HeaderBodyFrame(2, Pattern(20, 'A'));
  Decoder decoder(Framed());
  std::vector<uint8_t> store(64);
  FrameRecord records[4];
  decoder.Decode(test::BytesOf(one.substr(0, 10)), store, records);
  const std::string rest = one.substr(10) + two.substr(0, 30);
  const auto result = decoder.Decode(test::BytesOf(rest), store, records);
  ASSERT_EQ(result.frames, 1u);
  EXPECT_TRUE(result.in_store);
  EXPECT_EQ(result.consumed, one.size() - 10);
  const auto at = store.begin() + records[0].at;
  EXPECT_EQ(std::string(at, at + records[0].length), Pattern(20, 'a'));
}

TEST(Decoder, TellsOfNoMoreFramesThanThereIsRoomFor) {
  Feeder feeder(Framed());  // which takes five at once
  std::string stream;
  for (int i = 0; i < 12; ++i) stream += HeaderBodyFrame(3, "x");
  EXPECT_TRUE(feeder.Feed(stream));
  EXPECT_EQ(feeder.frames().size(), 12u);
  EXPECT_EQ(feeder.calls(), 3u);
}

TEST(Decoder, ALengthCostsNoMemoryBeforeItsBytesCome) {
  Feeder feeder(Framed({}, 1 << 20));
  const std::string frame = HeaderBodyFrame(1, Pattern(1 << 20));
  feeder.Feed(frame.substr(0, 20));
  EXPECT_LE(feeder.store_size(), 512u);
  feeder.Feed(frame.substr(20, 10000));
  EXPECT_LE(feeder.store_size(), 2u * 10020);
  feeder.Feed(frame.substr(10020));
  EXPECT_EQ(feeder.frames().size(), 1u);
  EXPECT_LE(feeder.store_size(), frame.size());
}

TEST(Decoder, TellsOfAControlFrameByItself) {
  Feeder feeder(Framed(), Decoder::Policy::kStop, 0xf0);
  std::string stream;
  for (const uint32_t command : {1, 2, 0xf0, 0xff, 3, 0xef, 0xf3}) {
    stream += HeaderBodyFrame(command, "body");
  }
  EXPECT_TRUE(feeder.Feed(stream));
  EXPECT_EQ(feeder.frames().size(), 7u);
  EXPECT_EQ(feeder.controls(), 3u);
  EXPECT_EQ(feeder.calls(), 6u);  // 1 2, f0, ff, 3 ef, f3, nothing
}

// What is wrong, and where, however the stream is cut.
void ExpectFault(const std::string& stream, Fault fault, uint64_t position, size_t good) {
  for (size_t size : {size_t{1}, size_t{3}, size_t{11}, stream.size()}) {
    Feeder feeder(Framed());
    EXPECT_FALSE(feeder.FeedInPieces(stream, size) && feeder.Finish()) << size;
    EXPECT_EQ(feeder.fault(), fault) << size;
    EXPECT_EQ(feeder.decoder().position(), position) << size;
    EXPECT_EQ(feeder.frames().size(), good) << size;
  }
}

TEST(Decoder, SaysWhatIsWrongAndWhereAfterTheGoodFrames) {
  const std::string good = HeaderBodyFrame(1, "good");
  const uint64_t at = good.size();
  ExpectFault(good + "garbage", Fault::kMagic, at, 1);
  ExpectFault(good + "Bx", Fault::kMagic, at, 1);
  ExpectFault(good + HeaderBodyFrame(1, "new", 1, 0, 2), Fault::kVersion, at, 1);
  ExpectFault(good + HeaderBodyFrame(1, Pattern(kMax + 1)), Fault::kTooLarge, at, 1);
  ExpectFault(good + std::string("BM\1\1\xff\xff\xff\xff", 8) + "....", Fault::kTooLarge, at, 1);
  ExpectFault(good + good.substr(0, at - 1), Fault::kTruncated, at, 1);
  ExpectFault(good + "B", Fault::kTruncated, at, 1);
  std::string bad = good;
  bad.back() ^= 1;
  ExpectFault(good + good + bad, Fault::kCrc, 2 * at, 2);
}

TEST(Decoder, AnyChangedBitIsFound) {
  const std::string frame = HeaderBodyFrame(7, "some bytes of a body");
  for (size_t bit = 0; bit < 8 * frame.size(); ++bit) {
    std::string changed = frame;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    Feeder feeder(Framed());
    EXPECT_FALSE(feeder.Feed(changed) && feeder.Finish()) << bit;
    EXPECT_TRUE(feeder.frames().empty()) << bit;
  }
}

TEST(Decoder, ResynchronisesAtTheNextFrame) {
  const std::string good = HeaderBodyFrame(1, "good");
  std::string bad = HeaderBodyFrame(2, "bad BM BM\1 inside");
  bad.back() ^= 1;
  const std::string large = HeaderBodyFrame(3, Pattern(kMax + 1));
  const std::string stream = "noise B BM BM\2 " + good + bad + good + large + good + bad + good;
  for (size_t size = 1; size < stream.size() + 3; size += 3) {
    Feeder feeder(Framed(), kResynchronise);
    EXPECT_TRUE(feeder.FeedInPieces(stream, size)) << size;
    EXPECT_EQ(feeder.frames(), std::vector<Frame>(4, {1, "good"})) << size;
    EXPECT_EQ(feeder.decoder().skipped(), stream.size() - 4 * good.size()) << size;
    EXPECT_EQ(feeder.decoder().bad_frames(), 4u + 2u) << size;  // and two starts inside `bad`
    EXPECT_TRUE(feeder.Finish()) << size;
  }
}

TEST(Decoder, FindsAFrameInsideOneWhoseLengthWasWrong) {
  const std::string good = HeaderBodyFrame(1, "good");
  std::string bad = HeaderBodyFrame(2, "bad");
  bad[6] = 3;  // three times 256 bytes
  std::string stream = bad;
  for (int i = 0; i < 60; ++i) stream += good;
  for (size_t size : {size_t{1}, size_t{10}, stream.size()}) {
    Feeder feeder(Framed(), kResynchronise);
    EXPECT_TRUE(feeder.FeedInPieces(stream, size));
    EXPECT_EQ(feeder.frames().size(), 60u) << size;
  }
}

// Starts of frames lie side by side, and each would have another megabyte summed up.
TEST(Decoder, GivesUpResynchronisingWhereTooMuchIsNearlyAFrame) {
  constexpr size_t kLarge = 1 << 20;
  const std::string start = std::string("BM\1\1\0\x0f\xff\0crc!", 12);
  std::string stream;
  while (stream.size() < 2 * kLarge) stream += start;
  Feeder feeder(Framed({}, kLarge), kResynchronise);
  EXPECT_FALSE(feeder.FeedInPieces(stream, 65536));
  EXPECT_EQ(feeder.fault(), Fault::kCrc);
  EXPECT_EQ(feeder.decoder().bad_frames(), 17u);
}

TEST(Decoder, SkipsStartsOfFramesThatAreTooLargeInLinearTime) {
  const std::string start = std::string("BM\1\1\xff\xff\xff\xff", 8);
  std::string stream;
  while (stream.size() < 4 << 20) stream += start;
  Feeder feeder(Framed(), kResynchronise);
  EXPECT_TRUE(feeder.FeedInPieces(stream, 65536));
  EXPECT_GE(feeder.decoder().skipped(), stream.size() - 12);
}

TEST(Decoder, SurvivesAStoreThatLostItsMemory) {
  Decoder decoder(Framed());
  std::vector<uint8_t> store(64);
  FrameRecord records[1];
  decoder.Decode(test::BytesOf("BM\1"), store, records);
  EXPECT_EQ(decoder.held(), 3u);
  const auto result = decoder.Decode(test::BytesOf("xyz"), {}, records);
  EXPECT_EQ(result.fault, Fault::kMagic);
}

TEST(HeaderBody, HasTheThreeKindsOfHeader) {
  struct {
    size_t command_bytes, crc_over;
    uint32_t command;
    size_t header;
  } const kinds[] = {{1, 8, 0xef, 12}, {2, 9, 0xabcd, 13}, {2, 8, 0xabcd, 13}};
  for (const auto& [command_bytes, crc_over, command, header] : kinds) {
    const auto frame = HeaderBodyFrame(command, "body", command_bytes, crc_over);
    EXPECT_EQ(frame.size(), header + 4);
    Feeder feeder(Framed({1, command_bytes, crc_over}));
    EXPECT_TRUE(feeder.Feed(frame));
    EXPECT_EQ(feeder.frames(), (std::vector<Frame>{{command, "body"}}));
  }
  Feeder other(Framed({1, 2, 8}));
  EXPECT_FALSE(other.Feed(HeaderBodyFrame(1, "body", 2, 9)));
  EXPECT_EQ(other.fault(), Fault::kCrc);
}

TEST(HeaderBody, SealsWholeFramesAndNothingElse) {
  const std::string sealed = HeaderBodyFrame(1, "one") + HeaderBodyFrame(2, "");
  std::vector<uint8_t> frames(sealed.begin(), sealed.end());
  for (size_t crc : {8, 8 + 15}) std::fill_n(frames.begin() + crc, 4, 0);
  const HeaderBody layout({}, kMax);
  layout.Seal(frames);
  EXPECT_EQ(std::string(frames.begin(), frames.end()), sealed);
  std::vector<uint8_t> half(frames.begin(), frames.begin() + 14);
  half[8] = 0;
  const auto before = half;
  layout.Seal(half);
  EXPECT_EQ(half, before);
}

// Bodies, or what is wrong, for any cut of the stream.
void ExpectBodies(const std::function<std::unique_ptr<Framing>()>& make, const std::string& stream,
                  const std::vector<std::string>& bodies, Fault fault = Fault::kNone) {
  for (size_t size = 1; size <= stream.size() + 1; ++size) {
    Feeder feeder(make());
    const bool fine = feeder.FeedInPieces(stream, size) && feeder.Finish();
    EXPECT_EQ(fine, fault == Fault::kNone) << size;
    EXPECT_EQ(feeder.fault(), fault) << size;
    std::vector<std::string> got;
    for (const Frame& frame : feeder.frames()) got.push_back(frame.body);
    EXPECT_EQ(got, bodies) << size;
  }
}

auto Prefixed(LengthPrefix::Layout layout, size_t max = kMax) {
  return [=] { return std::make_unique<LengthPrefix>(layout, max); };
}

using namespace std::string_literals;

TEST(LengthPrefix, OfAnySizeAndEitherEndianness) {
  ExpectBodies(Prefixed({1, false, 0, 0, 1}), "\3abc\0\1d"s, {"abc", "", "d"});
  ExpectBodies(Prefixed({2, false, 0, 0, 2}), "\0\3abc\0\0"s, {"abc", ""});
  ExpectBodies(Prefixed({2, true, 0, 0, 2}), "\3\0abc\0\0"s, {"abc", ""});
  ExpectBodies(Prefixed({4, false, 0, 0, 4}), "\0\0\0\3abc"s, {"abc"});
  ExpectBodies(Prefixed({4, true, 0, 0, 4}), "\3\0\0\0abc"s, {"abc"});
  ExpectBodies(Prefixed({8, false, 0, 0, 8}), "\0\0\0\0\0\0\0\3abc"s, {"abc"});
  ExpectBodies(Prefixed({8, true, 0, 0, 8}), "\3\0\0\0\0\0\0\0abc"s, {"abc"});
}

TEST(LengthPrefix, AsAVarint) {
  const std::string body = Pattern(300);
  ExpectBodies(Prefixed({.bytes = 0}), "\3abc\0\xac\2"s + body, {"abc", "", body});
  ExpectBodies(Prefixed({.bytes = 0}), "\x83\0abc"s, {"abc"});
  ExpectBodies(Prefixed({.bytes = 0}), "\xe9\7"s, {}, Fault::kTooLarge);
  ExpectBodies(Prefixed({.bytes = 0}), std::string(10, '\xff'), {}, Fault::kLength);
  ExpectBodies(Prefixed({.bytes = 0}), std::string(9, '\xff') + '\1', {}, Fault::kTooLarge);
}

// The examples of Netty's documentation.
TEST(LengthPrefix, WithOffsetAdjustmentAndStrip) {
  ExpectBodies(Prefixed({2, false, 0, 0, 0}), "\0\5HELLO"s, {"\0\5HELLO"s});
  ExpectBodies(Prefixed({2, false, 0, -2, 0}), "\0\7HELLO"s, {"\0\7HELLO"s});
  ExpectBodies(Prefixed({2, false, 2, 0, 0}), "\xca\xfe\0\5HELLO"s, {"\xca\xfe\0\5HELLO"s});
  ExpectBodies(Prefixed({2, false, 0, 2, 0}), "\0\5\xca\xfeHELLO"s, {"\0\5\xca\xfeHELLO"s});
  ExpectBodies(Prefixed({2, false, 1, 1, 3}), "\xca\0\5\xfeHELLO"s, {"\xfeHELLO"s});
  ExpectBodies(Prefixed({2, false, 1, -3, 3}), "\xca\0\x9\xfeHELLO"s, {"\xfeHELLO"s});
}

TEST(LengthPrefix, OfLengthsThatCannotBe) {
  ExpectBodies(Prefixed({4, false, 0, 0, 4}), "\xff\xff\xff\xff"s, {}, Fault::kTooLarge);
  ExpectBodies(Prefixed({8, false, 0, 0, 8}), std::string(8, '\xff'), {}, Fault::kTooLarge);
  ExpectBodies(Prefixed({8, false, 0, -8, 8}), "\x7f"s + std::string(7, '\xff'), {},
               Fault::kTooLarge);
  ExpectBodies(Prefixed({2, false, 0, -2, 2}), "\0\1"s, {}, Fault::kLength);
  ExpectBodies(Prefixed({1, false, 0, 0, 4}), "\2ab"s, {}, Fault::kLength);
  ExpectBodies(Prefixed({2, false, 0, 0, 2}), "\0\3ab"s, {}, Fault::kTruncated);
}

auto Ending(const std::string& delimiter, size_t max = kMax) {
  return [=] { return std::make_unique<Delimited>(delimiter, max); };
}

TEST(Delimited, EndsAtItsDelimiter) {
  ExpectBodies(Ending("\n"), "one\n\nthree\r\n", {"one", "", "three\r"});
  ExpectBodies(Ending("\r\n"), "one\r\n\r\r\nthree\n\r\n", {"one", "\r", "three\n"});
  ExpectBodies(Ending("aab"), "aaab-aab", {"a", "-"});
  ExpectBodies(Ending("\n"), "one\ntwo", {"one"}, Fault::kTruncated);
}

TEST(Delimited, HasALimit) {
  const std::string longest = Pattern(kMax);
  ExpectBodies(Ending("\r\n"), longest + "\r\n" + longest + "\r\n", {longest, longest});
  ExpectBodies(Ending("\r\n"), longest + "!\r\n", {}, Fault::kTooLarge);
  Feeder endless(Ending("\n")());
  EXPECT_FALSE(endless.FeedInPieces(std::string(100000, 'x'), 7));
  EXPECT_LE(endless.store_size(), 2 * kMax);
}

TEST(Delimited, Lines) {
  const auto lines = [] { return std::make_unique<Delimited>(Delimited::Lines(kMax)); };
  ExpectBodies(lines, "one\r\n\n\r\nfour\r\r\nlast", {"one", "", "", "four\r", "last"});
  ExpectBodies(lines, "one\n", {"one"});
  const std::string longest = Pattern(kMax);
  ExpectBodies(lines, longest + "\r\n" + longest, {longest, longest});
  ExpectBodies(lines, longest + "!\n", {}, Fault::kTooLarge);
  ExpectBodies(lines, longest + "!", {}, Fault::kTooLarge);
}

TEST(FixedSize, IsCutIntoPieces) {
  const auto threes = [] { return std::make_unique<FixedSize>(3); };
  ExpectBodies(threes, "abcdef", {"abc", "def"});
  ExpectBodies(threes, "abcde", {"abc"}, Fault::kTruncated);
}

TEST(Netstring, HasItsLengthInDigits) {
  const auto netstrings = [] { return std::make_unique<Netstring>(kMax); };
  const std::string longest = Pattern(kMax);
  ExpectBodies(netstrings, "5:hello,0:,1000:" + longest + ",", {"hello", "", longest});
  ExpectBodies(netstrings, "5:hello,1001:", {"hello"}, Fault::kTooLarge);
  ExpectBodies(netstrings, "99999999999999999999999999", {}, Fault::kTooLarge);
  for (const char* wrong : {":,", "05:hello,", "00:,", "x", "5x", "1:a;", "-1:a,", " 1:a,"}) {
    ExpectBodies(netstrings, wrong, {}, Fault::kLength);
  }
  ExpectBodies(netstrings, "5:hell", {}, Fault::kTruncated);
}

}  // namespace
}  // namespace spliceway
