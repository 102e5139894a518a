// One result, whichever way it is computed.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "codec/crc32.h"
#include "codec/crc32_step.h"
#include "fuzz/splits.h"

using namespace spliceway;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const size_t cut = input.Number(255);
  // Long enough for every way: the input, over and over.
  std::vector<uint8_t> bytes;
  while (!input.Rest().empty() && bytes.size() < 1000) {
    bytes.insert(bytes.end(), input.Rest().begin(), input.Rest().end());
  }
  const Bytes all(bytes);
  const uint32_t by_table = ~Crc32ByTable(~0u, bytes.data(), bytes.size());
  const size_t first = std::min(cut, bytes.size());
  if (Crc32(all) != by_table) std::abort();
  if (Crc32(all.subspan(first), Crc32(all.first(first))) != by_table) std::abort();
  return 0;
}
