#include "support/descriptors.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

namespace spliceway::test {

std::map<int, std::string> OpenDescriptors() {
  std::map<int, std::string> open;
  DIR* dir = opendir("/proc/self/fd");
  if (dir == nullptr) return open;
  while (const dirent* entry = readdir(dir)) {
    const int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] == '.' || fd == dirfd(dir)) continue;
    char target[256] = "";
    const std::string link = std::string("/proc/self/fd/") + entry->d_name;
    if (readlink(link.c_str(), target, sizeof(target) - 1) > 0) open[fd] = target;
  }
  closedir(dir);
  return open;
}

// The limit is on the numbers, not on how many there are: with it at the lowest free number there
// is none to give out.
FullTable::FullTable() {
  getrlimit(RLIMIT_NOFILE, &before_);
  const int lowest_free = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(lowest_free);
  rlimit lowered = before_;
  lowered.rlim_cur = static_cast<rlim_t>(lowest_free);
  setrlimit(RLIMIT_NOFILE, &lowered);
}

FullTable::~FullTable() { setrlimit(RLIMIT_NOFILE, &before_); }

}  // namespace spliceway::test
