#include "sys/wait.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <thread>

#include "support/pair.h"

namespace spliceway::sys {
namespace {

TEST(WaitReadable, ReturnsAtOnceForWhatIsReadable) {
  const auto pair = test::UnixPair();
  ASSERT_TRUE(test::SendAll(pair.far.get(), "x"));
  WaitReadable(pair.near.get());
}

TEST(WaitReadable, WaitsUntilItIs) {
  const auto pair = test::UnixPair();
  std::thread other([&] { EXPECT_TRUE(test::SendAll(pair.far.get(), "x")); });
  WaitReadable(pair.near.get());
  EXPECT_TRUE(test::IsReadable(pair.near.get()));
  other.join();
}

// Past FD_SETSIZE, where select's own type ends.
TEST(WaitReadable, TakesDescriptorsOfAnySize) {
  const auto pair = test::UnixPair();
  const OwnFd high(fcntl(pair.near.get(), F_DUPFD_CLOEXEC, 1500));
  if (!high) GTEST_SKIP() << "the limit on descriptors is too low";
  ASSERT_TRUE(test::SendAll(pair.far.get(), "x"));
  WaitReadable(high.get());
  EXPECT_TRUE(test::IsReadable(high.get()));
}

TEST(WaitReadable, ReturnsForADescriptorThatIsClosed) {
  auto pair = test::UnixPair();
  const int closed = pair.near.get();
  pair.near.Reset();
  WaitReadable(closed);
  EXPECT_LT(fcntl(closed, F_GETFD), 0);
}

}  // namespace
}  // namespace spliceway::sys
