#include "codec/delimited.h"
#include "fuzz/splits.h"

using namespace spliceway;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const char* const kDelimiters[] = {"\n", "\r\n", "aab", "--boundary--"};
  fuzz::Input input(data, size);
  const size_t which = input.Number(4);
  fuzz::CheckSplits(input, [&] {
    return std::make_unique<Delimited>(which == 4 ? Delimited::Lines(fuzz::kMaxBody)
                                                  : Delimited(kDelimiters[which], fuzz::kMaxBody));
  });
  return 0;
}
