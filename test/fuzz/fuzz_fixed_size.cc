#include "codec/fixed_size.h"
#include "fuzz/splits.h"

using namespace spliceway;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const size_t each = 1 + input.Number(100);
  fuzz::CheckSplits(input, [&] { return std::make_unique<FixedSize>(each); });
  return 0;
}
