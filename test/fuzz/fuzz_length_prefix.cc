#include "codec/length_prefix.h"
#include "fuzz/splits.h"

using namespace spliceway;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  LengthPrefix::Layout layout;
  layout.bytes = input.Number(8);
  layout.little_endian = input.Number(1) == 1;
  layout.offset = layout.bytes == 0 ? 0 : input.Number(10);
  layout.adjustment = static_cast<int64_t>(input.Number(40)) - 20;
  layout.strip = input.Number(20);
  fuzz::CheckSplits(input, [&] { return std::make_unique<LengthPrefix>(layout, fuzz::kMaxBody); });
  return 0;
}
