// Runs the tests, and holds each to two things besides what it checks: that it leaves no descriptor
// open, and that it ends.
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <string>

#include "support/descriptors.h"

namespace spliceway::test {
namespace {

// A test that hangs is one that waits for an event that never comes. SIGALRM ends the process; the
// last line printed names the test.
constexpr unsigned kLongestTest = 60;

class Housekeeper : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo&) override {
    alarm(kLongestTest);
    before_ = OpenDescriptors();
  }

  void OnTestEnd(const testing::TestInfo&) override {
    alarm(0);
    for (const auto& [fd, target] : OpenDescriptors()) {
      if (before_.count(fd) == 0) ADD_FAILURE() << "descriptor " << fd << " left open: " << target;
    }
  }

  std::map<int, std::string> before_;
};

}  // namespace
}  // namespace spliceway::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  testing::UnitTest::GetInstance()->listeners().Append(new spliceway::test::Housekeeper);
  return RUN_ALL_TESTS();
}
