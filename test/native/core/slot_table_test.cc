#include "core/slot_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <vector>

namespace spliceway {
namespace {

using Table = SlotTable<int>;

SlotName Put(Table* table, int value) {
  SlotName name;
  EXPECT_TRUE(table->Insert(std::make_unique<int>(value), &name));
  return name;
}

TEST(SlotTable, FindsWhatWasPutInByBothOfItsNames) {
  Table table;
  const SlotName one = Put(&table, 1);
  const SlotName two = Put(&table, 2);
  EXPECT_EQ(*table.FindId(one.id()), 1);
  EXPECT_EQ(*table.FindTag(one.tag()), 1);
  EXPECT_EQ(*table.FindId(two.id()), 2);
  EXPECT_EQ(*table.FindTag(two.tag()), 2);
  EXPECT_EQ(table.size(), 2u);
}

TEST(SlotTable, FindsNothingUnderNamesThatWereNeverGiven) {
  Table table;
  EXPECT_EQ(table.FindId(0), nullptr);
  EXPECT_EQ(table.FindTag(0), nullptr);
  Put(&table, 1);
  for (const int32_t id : {-1, INT32_MIN, 1, 1 << SlotName::kIndexBits, INT32_MAX}) {
    EXPECT_EQ(table.FindId(id), nullptr) << id;
  }
  for (const uint64_t tag : {uint64_t{1}, uint64_t{1} << 32, UINT64_MAX}) {
    EXPECT_EQ(table.FindTag(tag), nullptr) << tag;
  }
}

TEST(SlotTable, RemoveGivesTheObjectBackAndItsNamesFindNothing) {
  Table table;
  const SlotName name = Put(&table, 1);
  const auto removed = table.Remove(name);
  ASSERT_NE(removed, nullptr);
  EXPECT_EQ(*removed, 1);
  EXPECT_EQ(table.FindId(name.id()), nullptr);
  EXPECT_EQ(table.FindTag(name.tag()), nullptr);
  EXPECT_EQ(table.size(), 0u);
}

TEST(SlotTable, RemoveIdTakesOutOnlyWhatThatIdNames) {
  Table table;
  const int32_t id = Put(&table, 1).id();
  EXPECT_EQ(table.RemoveId(id + 1), nullptr);
  EXPECT_EQ(*table.RemoveId(id), 1);
  EXPECT_EQ(table.RemoveId(id), nullptr);
  EXPECT_EQ(table.size(), 0u);
}

TEST(SlotTable, ReusesASlotUnderANewName) {
  Table table;
  const SlotName first = Put(&table, 1);
  table.Remove(first);
  const SlotName second = Put(&table, 2);
  EXPECT_EQ(second.index, first.index);
  EXPECT_NE(second.id(), first.id());
  EXPECT_NE(second.tag(), first.tag());
  EXPECT_EQ(table.FindId(first.id()), nullptr);
  EXPECT_EQ(table.FindTag(first.tag()), nullptr);
  EXPECT_EQ(*table.FindId(second.id()), 2);
}

TEST(SlotTable, TakesOneSlotForAnyNumberOfLivesInTurn) {
  Table table;
  std::set<uint64_t> tags;
  // Past the 2^11 generations of an id, whose names come round; tags do not.
  for (int life = 0; life < 5'000; ++life) {
    const SlotName name = Put(&table, life);
    EXPECT_EQ(name.index, 0u);
    EXPECT_GE(name.id(), 0);
    EXPECT_EQ(*table.FindId(name.id()), life);
    EXPECT_TRUE(tags.insert(name.tag()).second);
    table.Remove(name);
  }
}

TEST(SlotTable, NoTwoLiveObjectsShareAName) {
  Table table;
  std::vector<SlotName> names;
  std::set<int32_t> ids;
  for (int i = 0; i < 1'000; ++i) names.push_back(Put(&table, i));
  for (int i = 0; i < 1'000; i += 3) table.Remove(names[static_cast<size_t>(i)]);
  for (int i = 0; i < 1'000; i += 3) names[static_cast<size_t>(i)] = Put(&table, i);
  for (int i = 0; i < 1'000; ++i) {
    const SlotName& name = names[static_cast<size_t>(i)];
    EXPECT_TRUE(ids.insert(name.id()).second);
    EXPECT_EQ(*table.FindId(name.id()), i);
  }
}

TEST(SlotTable, RefusesWhenAllSlotsAreTakenAndTakesAgainWhenOneIsFree) {
  Table table;
  SlotName last;
  for (uint32_t i = 0; i <= SlotName::kMaxIndex; ++i) last = Put(&table, 1);
  EXPECT_EQ(last.index, SlotName::kMaxIndex);
  EXPECT_GE(last.id(), 0);
  SlotName none;
  EXPECT_FALSE(table.Insert(std::make_unique<int>(2), &none));
  EXPECT_EQ(table.size(), size_t{SlotName::kMaxIndex} + 1);
  table.Remove(last);
  const SlotName again = Put(&table, 3);
  EXPECT_EQ(*table.FindId(again.id()), 3);
}

TEST(SlotTable, ForEachVisitsTheLiveOnesAndMayRemoveThem) {
  Table table;
  const SlotName one = Put(&table, 1);
  const SlotName two = Put(&table, 2);
  const SlotName three = Put(&table, 3);
  table.Remove(two);
  std::multiset<int> seen;
  table.ForEach([&](const int* value) {
    seen.insert(*value);
    table.Remove(*value == 1 ? one : three);
  });
  EXPECT_EQ(seen, (std::multiset<int>{1, 3}));
  EXPECT_EQ(table.size(), 0u);
}

}  // namespace
}  // namespace spliceway
