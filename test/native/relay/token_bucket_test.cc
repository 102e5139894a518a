#include "relay/token_bucket.h"

#include <gtest/gtest.h>

namespace spliceway {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(TokenBucket, IsFullAtFirstAndHoldsATenthOfASecond) {
  TokenBucket bucket(1000, 5 * kSecond);
  EXPECT_EQ(bucket.Available(5 * kSecond), 100u);
  EXPECT_EQ(bucket.Available(50 * kSecond), 100u);
}

TEST(TokenBucket, FillsAtItsRate) {
  TokenBucket bucket(1000, 0);
  bucket.Spend(100);
  EXPECT_EQ(bucket.Available(0), 0u);
  EXPECT_EQ(bucket.Available(kSecond / 100), 10u);
  EXPECT_EQ(bucket.Available(kSecond / 20), 50u);
  bucket.Spend(50);
  EXPECT_EQ(bucket.Available(kSecond / 20), 0u);
}

TEST(TokenBucket, WhatWasOverspentIsPaidBackFirst) {
  TokenBucket bucket(1000, 0);
  bucket.Spend(600);
  EXPECT_EQ(bucket.Available(kSecond / 2), 0u);
  EXPECT_EQ(bucket.Available(kSecond / 2 + kSecond / 100), 10u);
}

TEST(TokenBucket, IsWorthAWakeUpOnceHalfOfItIsThere) {
  TokenBucket bucket(1000, 0);
  bucket.Spend(100);
  const int64_t at = bucket.WorthItAt();
  EXPECT_NEAR(static_cast<double>(at), kSecond / 20.0, 10);
  EXPECT_GE(bucket.Available(at), 50u);
}

// However small or large the rate, the wake-up finds something, so that nobody spins or starves.
TEST(TokenBucket, AWakeUpFindsSomething) {
  for (const uint64_t rate : {1ull, 3ull, 9ull, 10ull, 1000ull, 123'456'789ull, (1ull << 53) - 1}) {
    int64_t now = 12'345 * kSecond;
    TokenBucket bucket(rate, now);
    uint64_t passed = 0;
    const int64_t began = now;
    for (int i = 0; i < 200; ++i) {
      const uint64_t available = bucket.Available(now);
      EXPECT_GT(available, 0u) << rate;
      bucket.Spend(available);
      passed += available;
      const int64_t next = bucket.WorthItAt();
      ASSERT_GT(next, now) << rate;
      now = next;
    }
    const double expected = static_cast<double>(now - began) / 1e9 * static_cast<double>(rate);
    EXPECT_LE(static_cast<double>(passed), expected * 1.2 + static_cast<double>(rate) / 10 + 1)
        << rate;
  }
}

}  // namespace
}  // namespace spliceway
