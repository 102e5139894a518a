#include "chaos/chance.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace spliceway {
namespace {

TEST(Chance, TheSameNumbersGiveTheSameSequence) {
  Chance a = Chance::Of({7, 1, 0});
  Chance b = Chance::Of({7, 1, 0});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.Next(), b.Next());
}

TEST(Chance, EveryNumberAndItsPlaceCount) {
  const double first = Chance::Of({7, 1, 0}).Next();
  EXPECT_NE(first, Chance::Of({8, 1, 0}).Next());
  EXPECT_NE(first, Chance::Of({7, 2, 0}).Next());
  EXPECT_NE(first, Chance::Of({1, 7, 0}).Next());
  EXPECT_NE(first, Chance::Of({7, 1}).Next());
}

TEST(Chance, IsSpreadEvenlyFromZeroToOne) {
  Chance chance(3);
  int tenths[10] = {};
  for (int i = 0; i < 10'000; ++i) {
    const double next = chance.Next();
    ASSERT_GE(next, 0);
    ASSERT_LT(next, 1);
    ++tenths[static_cast<int>(next * 10)];
  }
  EXPECT_GT(*std::min_element(tenths, tenths + 10), 850);
  EXPECT_LT(*std::max_element(tenths, tenths + 10), 1150);
}

}  // namespace
}  // namespace spliceway
