// How much processor time a process has had, all of its threads together.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <unordered_map>

namespace bench {

struct TaskTimes {
  int64_t cpu_ns = 0;    // running
  int64_t delay_ns = 0;  // ready to run, while something else had the core
  int64_t runs = 0;      // how often it was given the core

  TaskTimes& operator+=(const TaskTimes& other);
  TaskTimes operator-(const TaskTimes& other) const;
};

// The calling thread's.
TaskTimes OwnTimes();

// The sum of /proc/<pid>/task/*/schedstat as it grows. A thread that ends takes its numbers with
// it, so each thread's growth is added up by itself. The kernel brings a running thread's time up
// to date at each tick, 1 to 4 ms: a slice is as exact as that, and the sum of all slices is exact.
class ServerClock {
 public:
  explicit ServerClock(pid_t pid);

  // The growth since the last call, or since construction. Ends the process if the server is gone.
  TaskTimes Lap();

 private:
  std::string folder_;
  std::unordered_map<pid_t, TaskTimes> threads_;
};

}  // namespace bench
