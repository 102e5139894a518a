#include "relay/pipe_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "relay/pump.h"
#include "support/pair.h"
#include "support/pattern.h"
#include "sys/fault.h"

namespace spliceway {
namespace {

constexpr size_t kKiB = 1024;
constexpr size_t kLarge = PipeCache::kPipeSize;
constexpr size_t kSmall = PipeCache::kSmallest;

TEST(PipeBudget, SharesOutLargePipesFirstThenSmallerOnesThenNone) {
  PipeBudget budget(16 * kLarge);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(budget.Take(kLarge), kLarge);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(budget.Take(kLarge), kLarge / 2);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(budget.Take(kLarge), kSmall);
  EXPECT_EQ(budget.Take(kLarge), 0u);  // an eighth is for others
}

TEST(PipeBudget, WhatIsGivenBackIsThereAgain) {
  PipeBudget budget(2 * kLarge);
  EXPECT_EQ(budget.Take(kLarge), kLarge);
  EXPECT_EQ(budget.Take(kLarge), kLarge / 2);
  EXPECT_EQ(budget.Take(kLarge), kSmall);
  EXPECT_EQ(budget.Take(kLarge), 0u);
  budget.GiveBack(kLarge);
  EXPECT_EQ(budget.Take(kLarge), kLarge / 2) << "half of the budget is taken by smaller ones";
  budget.GiveBack(kLarge / 2);
  budget.GiveBack(kLarge / 2);
  EXPECT_EQ(budget.Take(kLarge), kLarge / 2);
  budget.GiveBack(kLarge / 2);
  budget.GiveBack(kSmall);
  EXPECT_EQ(budget.Take(kLarge), kLarge);
}

TEST(PipeBudget, WithoutALimitItNeverRunsOut) {
  PipeBudget budget(SIZE_MAX);
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(budget.Take(kLarge), kLarge);
}

TEST(PipeBudget, OfNothingGivesNothing) {
  PipeBudget budget(0);
  EXPECT_EQ(budget.Take(kLarge), 0u);
}

TEST(PipeCache, HandsOutWhatCameBack) {
  PipeBudget budget(SIZE_MAX);
  PipeCache pipes(&budget);
  auto pipe = pipes.Take();
  ASSERT_TRUE(pipe);
  EXPECT_EQ(pipe->capacity, kLarge);
  const int end = pipe->read_end.get();
  pipes.Return(std::move(*pipe));
  EXPECT_EQ(pipes.idle(), 1u);
  pipe = pipes.Take();
  EXPECT_EQ(pipe->read_end.get(), end);
  EXPECT_EQ(pipes.idle(), 0u);
  pipes.Discard(std::move(*pipe));
  EXPECT_EQ(pipes.idle(), 0u);
}

TEST(PipeCache, KeepsNoMoreThanAFew) {
  PipeBudget budget(64 * kLarge);
  PipeCache pipes(&budget);
  for (int round = 0; round < 3; ++round) {
    std::vector<sys::PipeFds> taken;
    for (int i = 0; i < 20; ++i) taken.push_back(std::move(*pipes.Take()));
    for (sys::PipeFds& pipe : taken) pipes.Return(std::move(pipe));
    EXPECT_EQ(pipes.idle(), 16u);
  }
}

// Whatever becomes of a pipe, the budget has it back in the end.
TEST(PipeCache, GivesBackToTheBudget) {
  PipeBudget budget(2 * kLarge);
  const auto whole = [&] {
    const size_t granted = budget.Take(kLarge);
    budget.GiveBack(granted);
    return granted == kLarge;
  };
  {
    PipeCache pipes(&budget);
    pipes.Discard(std::move(*pipes.Take()));
    EXPECT_TRUE(whole());
    sys::fault::Script script;
    script.On(sys::fault::kPipe).Then(EMFILE).Then(ENFILE);
    EXPECT_FALSE(pipes.Take());
    EXPECT_FALSE(pipes.Take());
    EXPECT_TRUE(script.done());
    EXPECT_TRUE(whole());
    pipes.Return(std::move(*pipes.Take()));
    EXPECT_FALSE(whole());
  }
  EXPECT_TRUE(whole());
}

TEST(PipeCache, IsEmptyWhereTheBudgetIs) {
  PipeBudget budget(0);
  PipeCache pipes(&budget);
  EXPECT_FALSE(pipes.Take());
  EXPECT_EQ(pipes.CopyBuffer().size(), 64 * kKiB);
  EXPECT_EQ(pipes.CopyBuffer().data(), pipes.CopyBuffer().data());
}

// Runs it in a process of its own, as a user without privileges; what it returned.
int AsNobody(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    alarm(30);
    if (geteuid() == 0 && setresuid(kNobody, kNobody, kNobody) != 0) _exit(100);
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    _exit(body());
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Whether a pump without a pipe passes that on unchanged.
bool Copies(PipeCache* pipes, size_t size) {
  auto in = test::UnixPair();
  auto out = test::UnixPair();
  const std::string all = test::Pattern(size);
  Pump pump(pipes, Pump::Kind::kSocket, Pump::Kind::kSocket);
  std::string got;
  for (size_t fed = 0; got.size() < all.size();) {
    const ssize_t n = send(in.far.get(), all.data() + fed, all.size() - fed, MSG_NOSIGNAL);
    if (n > 0) fed += static_cast<size_t>(n);
    if (pump.Run(in.near.get(), out.near.get()) >= Pump::Status::kSourceFailed) return false;
    char p[64 * kKiB];
    const ssize_t m = recv(out.far.get(), p, sizeof(p), 0);
    if (m > 0) got.append(p, static_cast<size_t>(m));
  }
  return got == all;
}

// 256 large pipes would be all that a user may have, and leave others two pages each.
TEST(PipeCache, OfAnUnprivilegedUserRunsOutOfPipesAndCopies) {
  EXPECT_EQ(AsNobody([] {
              PipeBudget budget(std::min<size_t>(sys::PipeBudget(), 64 * 1024 * kKiB));
              PipeCache pipes(&budget);
              std::vector<sys::PipeFds> taken;
              for (int i = 0; i < 2000; ++i) {
                auto pipe = pipes.Take();
                if (!pipe) break;
                if (pipe->capacity < kSmall) return 1;
                taken.push_back(std::move(*pipe));
              }
              if (taken.size() < 128 || taken.size() > 600) return 2;
              if (!Copies(&pipes, 3 * 1024 * kKiB)) return 3;
              // What was left to others is of some use to them.
              const auto others = sys::OpenPipe(kSmall);
              return others.ok() && others.value().capacity >= kSmall ? 0 : 4;
            }),
            0);
}

// Other programs of the same user may have left nothing.
TEST(PipeCache, OfAnUnprivilegedUserWithoutAnyPipeLeftCopies) {
  if (geteuid() != 0) GTEST_SKIP() << "would take every pipe of the user that runs this";
  EXPECT_EQ(AsNobody([] {
              std::vector<sys::PipeFds> taken;
              for (int i = 0; i < 4000; ++i) {
                auto pipe = sys::OpenPipe(kLarge);
                if (!pipe.ok() || pipe.value().capacity < kSmall) break;
                taken.push_back(std::move(pipe.value()));
              }
              if (taken.size() < 128) return 1;
              PipeBudget budget(64 * 1024 * kKiB);
              PipeCache pipes(&budget);
              if (pipes.Take()) return 2;
              if (!Copies(&pipes, 3 * 1024 * kKiB)) return 3;
              return budget.Take(kLarge) == kLarge ? 0 : 4;
            }),
            0);
}

}  // namespace
}  // namespace spliceway
