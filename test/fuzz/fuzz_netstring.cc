#include "codec/netstring.h"
#include "fuzz/splits.h"

using namespace spliceway;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::CheckSplits({data, size}, [] { return std::make_unique<Netstring>(fuzz::kMaxBody); });
  return 0;
}
