#include "sys/zero_copy.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "support/descriptors.h"
#include "support/pair.h"
#include "sys/fault.h"
#include "sys/io.h"

namespace spliceway::sys {
namespace {

constexpr size_t kWanted = 64 * 1024;

PipeFds NewPipe() { return std::move(OpenPipe(kWanted).value()); }

TEST(OpenPipe, IsNonBlockingCloseOnExecAndKnowsItsCapacity) {
  const PipeFds pipe = NewPipe();
  for (const int fd : {pipe.read_end.get(), pipe.write_end.get()}) {
    EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_EQ(static_cast<int>(pipe.capacity), fcntl(pipe.write_end.get(), F_GETPIPE_SZ));
  EXPECT_GE(pipe.capacity, kWanted);
}

TEST(OpenPipe, ReportsAFullTable) {
  const test::FullTable full;
  const auto pipe = OpenPipe(kWanted);
  ASSERT_FALSE(pipe.ok());
  EXPECT_STREQ(pipe.error().syscall, "pipe2");
  EXPECT_EQ(pipe.error().number, EMFILE);
}

TEST(Splice, MovesBytesFromSocketToPipeToSocket) {
  const auto in = test::UnixPair();
  const auto out = test::UnixPair();
  const PipeFds pipe = NewPipe();
  ASSERT_TRUE(test::SendAll(in.far.get(), "hello"));
  EXPECT_EQ(Splice(in.near.get(), pipe.write_end.get(), kWanted), 5);
  EXPECT_EQ(Splice(pipe.read_end.get(), out.near.get(), 5), 5);
  EXPECT_EQ(test::ReceiveSome(out.far.get()), "hello");
}

TEST(Splice, TellsNothingThereFromTheEnd) {
  auto in = test::UnixPair();
  const PipeFds pipe = NewPipe();
  EXPECT_EQ(Splice(in.near.get(), pipe.write_end.get(), kWanted), -EAGAIN);
  in.far.Reset();
  EXPECT_EQ(Splice(in.near.get(), pipe.write_end.get(), kWanted), 0);
}

// What cannot be handled has moved nothing, so that the caller can go the other way.
TEST(Splice, IsUnhandledWhereTheSystemCannotAndMovesNothingThen) {
  const auto in = test::UnixPair();
  const PipeFds pipe = NewPipe();
  ASSERT_TRUE(test::SendAll(in.far.get(), "hello"));
  fault::Script script;
  script.On(fault::kSplice).Then(EINTR).Then(EINVAL).Then(ENOSYS).Then(EOPNOTSUPP).Then(EPIPE);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Splice(in.near.get(), pipe.write_end.get(), kWanted), kUnhandled);
  }
  EXPECT_EQ(Splice(in.near.get(), pipe.write_end.get(), kWanted), -EPIPE);
  EXPECT_TRUE(script.done());
  EXPECT_EQ(test::ReceiveSome(in.near.get()), "hello");
}

TEST(Splice, OfTwoSocketsIsUnhandled) {
  const auto in = test::UnixPair();
  const auto out = test::UnixPair();
  EXPECT_EQ(Splice(in.near.get(), out.near.get(), kWanted), kUnhandled);
}

TEST(SendFile, SendsFromTheFilesPositionOn) {
  const auto out = test::UnixPair();
  FILE* file = std::tmpfile();
  std::fputs("hello, world", file);
  std::fflush(file);
  const int fd = fileno(file);
  ASSERT_EQ(lseek(fd, 7, SEEK_SET), 7);
  fault::Script script;
  script.On(fault::kSendfile).Then(EINTR).ShortenTo(2).Then(EAGAIN).Then(EINVAL);
  EXPECT_EQ(SendFile(out.near.get(), fd, 100), 2);
  EXPECT_EQ(SendFile(out.near.get(), fd, 100), -EAGAIN);
  EXPECT_EQ(SendFile(out.near.get(), fd, 100), kUnhandled);
  EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 9);
  EXPECT_EQ(SendFile(out.near.get(), fd, 100), 3);
  EXPECT_EQ(SendFile(out.near.get(), fd, 100), 0);
  EXPECT_EQ(test::ReceiveSome(out.far.get()), "world");
  std::fclose(file);
}

}  // namespace
}  // namespace spliceway::sys
