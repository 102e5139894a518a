// The process's own table of descriptors.
#pragma once

#include <sys/resource.h>

#include <map>
#include <string>

namespace spliceway::test {

// Every open descriptor and what it is, as in /proc/self/fd.
std::map<int, std::string> OpenDescriptors();

// While one lives, no descriptor can be made: EMFILE, though only for this process. Closing one
// that was open before it makes room for one.
class FullTable {
 public:
  FullTable();
  ~FullTable();
  FullTable(const FullTable&) = delete;
  FullTable& operator=(const FullTable&) = delete;

 private:
  rlimit before_{};
};

}  // namespace spliceway::test
