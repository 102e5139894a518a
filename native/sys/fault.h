// Faults on demand: a test says what the next system calls of sys/call.h do instead of what they
// would. Compiled into the unit tests only.
//
//   fault::Script script;
//   script.On(fault::kSend).ShortenTo(3).Then(EAGAIN).Then(EINTR).Then(ECONNRESET);
//   …the first send takes at most 3 bytes, the next three fail, later ones are the kernel's
//   EXPECT_TRUE(script.done());
//
// A script is in force from its construction to the end of its scope, on every thread; there is one
// at a time.
#pragma once

#include <cstddef>
#include <deque>
#include <list>

namespace spliceway::sys::fault {

enum Call {
  kRecv,
  kSend,
  kSendmsg,
  kRecvfrom,
  kSendto,
  kRecvmsg,
  kRecvmmsg,
  kSendmmsg,
  kRead,
  kWrite,
  kConnect,
  kAccept,
  kSplice,
  kSendfile,
  kPipe
};

inline constexpr int kAnyFd = -1;

class Script {
 public:
  // What the calls of one kind do, one step for each call.
  class Steps {
   public:
    // The call is made, for at most n bytes.
    Steps& ShortenTo(size_t n);
    // The call is not made and fails.
    Steps& Then(int error, int times = 1);
    // The call is made as it is.
    Steps& Pass(int times = 1);

   private:
    friend class Script;
    friend struct Taken;
    struct Step {
      int error;
      size_t at_most;
    };

    Steps(Call call, int fd) : call_(call), fd_(fd) {}
    Steps& Add(Step step, int times);

    Call call_;
    int fd_;
    std::deque<Step> steps_;
  };

  Script();
  ~Script();
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  // For calls on that descriptor only, or on any. For splice and sendfile it is the one that is
  // read from; pipe2 has none.
  Steps& On(Call call, int fd = kAnyFd);
  // Whether every step has been taken: a test whose faults never happened has tested nothing.
  bool done() const;

 private:
  friend struct Taken;

  std::list<Steps> list_;
};

}  // namespace spliceway::sys::fault
