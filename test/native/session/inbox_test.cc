#include "session/inbox.h"

#include <gtest/gtest.h>

#include <string>

#include "core/status.h"
#include "support/frames.h"

namespace spliceway {
namespace {

class InboxTest : public testing::Test {
 protected:
  bool Put(size_t n) { return inbox.Put(test::BytesOf(std::string(n, 'x'))); }
  int64_t Take(size_t n) {
    std::string into(n, '\0');
    return inbox.Take({reinterpret_cast<uint8_t*>(into.data()), n});
  }

  Inbox inbox{100, 80};  // worth granting anew: 20 and more
};

TEST_F(InboxTest, GivesBytesInOrderAndThenTheEnd) {
  uint8_t into[3];
  ASSERT_TRUE(inbox.Put(test::BytesOf("abcde")));
  inbox.End();
  EXPECT_EQ(inbox.Take(into), 3);
  EXPECT_EQ(inbox.Take(into), 2);
  EXPECT_EQ(into[1], 'e');
  EXPECT_EQ(inbox.Take(into), 0);
  EXPECT_EQ(inbox.Take(into), 0);
}

TEST_F(InboxTest, TellsAWaiterOnce) {
  EXPECT_FALSE(inbox.TakeWaiter());
  EXPECT_EQ(Take(1), kAgain);
  EXPECT_FALSE(inbox.TakeWaiter()) << "there is nothing yet";
  ASSERT_TRUE(Put(1));
  EXPECT_TRUE(inbox.TakeWaiter());
  EXPECT_FALSE(inbox.TakeWaiter());
}

TEST_F(InboxTest, TakesNoMoreThanWasGranted) {
  EXPECT_TRUE(Put(60));
  EXPECT_FALSE(Put(41));
  EXPECT_TRUE(Put(40));
  EXPECT_FALSE(Put(1));
}

TEST_F(InboxTest, GrantsAnewWhatWasTaken) {
  ASSERT_TRUE(Put(100));
  EXPECT_EQ(inbox.TakeGrant(), 0u);
  Take(19);
  EXPECT_EQ(inbox.TakeGrant(), 0u) << "not worth it: a largest frame still fits into what is left";
  Take(2);
  EXPECT_EQ(inbox.TakeGrant(), 21u);
  EXPECT_FALSE(Put(22));
  EXPECT_TRUE(Put(21));
}

TEST_F(InboxTest, GrantsNothingOnceItHasEnded) {
  ASSERT_TRUE(Put(100));
  inbox.End();
  Take(100);
  EXPECT_EQ(inbox.TakeGrant(), 0u);
}

TEST_F(InboxTest, AWindowOfOneFrameIsGrantedAnewWithEach) {
  Inbox small(80, 80);
  ASSERT_TRUE(small.Put(test::BytesOf("x")));
  uint8_t into[1];
  ASSERT_EQ(small.Take(into), 1);
  EXPECT_EQ(small.TakeGrant(), 1u);
}

}  // namespace
}  // namespace spliceway
