#include "server_clock.h"

#include <dirent.h>
#include <fcntl.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "fail.h"
#include "socket.h"

namespace bench {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};
using Folder = std::unique_ptr<DIR, CloseDir>;

// False when the thread is gone.
bool ReadTimes(int folder, const char* path, TaskTimes* times) {
  const Fd file(openat(folder, path, O_RDONLY | O_CLOEXEC));
  char text[128];
  const ssize_t n = file.get() < 0 ? -1 : read(file.get(), text, sizeof text - 1);
  if (n <= 0) return false;
  text[n] = '\0';
  return std::sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64, &times->cpu_ns, &times->delay_ns,
                     &times->runs) == 3;
}

}  // namespace

TaskTimes& TaskTimes::operator+=(const TaskTimes& other) {
  cpu_ns += other.cpu_ns;
  delay_ns += other.delay_ns;
  runs += other.runs;
  return *this;
}

TaskTimes TaskTimes::operator-(const TaskTimes& other) const {
  return {cpu_ns - other.cpu_ns, delay_ns - other.delay_ns, runs - other.runs};
}

TaskTimes OwnTimes() {
  TaskTimes times;
  if (!ReadTimes(AT_FDCWD, "/proc/thread-self/schedstat", &times)) {
    Fail("/proc/thread-self/schedstat cannot be read: the kernel keeps no CONFIG_SCHED_INFO");
  }
  return times;
}

ServerClock::ServerClock(pid_t pid) : folder_("/proc/" + std::to_string(pid) + "/task") { Lap(); }

TaskTimes ServerClock::Lap() {
  const Folder folder(opendir(folder_.c_str()));
  if (folder == nullptr) Fail("the server is gone (no %s)", folder_.c_str());
  TaskTimes lap;
  std::unordered_map<pid_t, TaskTimes> seen;
  while (const dirent* entry = readdir(folder.get())) {
    const auto thread = static_cast<pid_t>(std::atoi(entry->d_name));
    TaskTimes times;
    const std::string path = std::string(entry->d_name) + "/schedstat";
    if (thread == 0 || !ReadTimes(dirfd(folder.get()), path.c_str(), &times)) continue;
    const TaskTimes before = threads_[thread];
    // A number that was given to a new thread starts again from zero.
    lap += times.cpu_ns < before.cpu_ns ? times : times - before;
    seen.emplace(thread, times);
  }
  threads_ = std::move(seen);
  return lap;
}

}  // namespace bench
