#include "sys/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace spliceway {
namespace {

int OpenOne() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(OwnFd, ClosesAtTheEndOfItsScope) {
  const int fd = OpenOne();
  { const OwnFd own(fd); }
  EXPECT_FALSE(IsOpen(fd));
}

TEST(OwnFd, OwnsNothingAtFirst) {
  const OwnFd none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none.get(), -1);
}

TEST(OwnFd, MovingTakesTheDescriptorAlong) {
  const int fd = OpenOne();
  OwnFd from(fd);
  {
    const OwnFd to(std::move(from));
    EXPECT_EQ(to.get(), fd);
    EXPECT_FALSE(from);  // NOLINT: what a moved-from OwnFd is, is part of its contract
    EXPECT_TRUE(IsOpen(fd));
  }
  EXPECT_FALSE(IsOpen(fd));
}

TEST(OwnFd, AssigningClosesWhatWasOwnedBefore) {
  const int before = OpenOne();
  const int after = OpenOne();
  OwnFd own(before);
  own = OwnFd(after);
  EXPECT_FALSE(IsOpen(before));
  EXPECT_TRUE(IsOpen(after));
  EXPECT_EQ(own.get(), after);
}

TEST(OwnFd, AssigningToItselfChangesNothing) {
  const int fd = OpenOne();
  OwnFd own(fd);
  OwnFd& same = own;
  own = std::move(same);
  EXPECT_EQ(own.get(), fd);
  EXPECT_TRUE(IsOpen(fd));
}

TEST(OwnFd, ReleaseGivesUpWithoutClosing) {
  const int fd = OpenOne();
  {
    OwnFd own(fd);
    EXPECT_EQ(own.Release(), fd);
    EXPECT_FALSE(own);
  }
  EXPECT_TRUE(IsOpen(fd));
  EXPECT_EQ(close(fd), 0);
}

TEST(OwnFd, ClosesOnlyOnceWhenTheNumberIsTakenAgain) {
  const int fd = OpenOne();
  OwnFd own(fd);
  own.Reset();
  const OwnFd next(OpenOne());
  ASSERT_EQ(next.get(), fd) << "the lowest free number should come back";
  own.Reset();
  EXPECT_TRUE(IsOpen(fd));
}

}  // namespace
}  // namespace spliceway
