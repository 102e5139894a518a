#include "codec/header_body.h"
#include "fuzz/splits.h"

using namespace spliceway;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const size_t command_bytes = 1 + input.Number(1);
  const size_t crc_over = 8 + input.Number(command_bytes - 1);
  const auto policy = static_cast<Decoder::Policy>(input.Number(1));
  const uint32_t control = input.Number(1) == 0 ? UINT32_MAX : 0xf0;
  const auto make = [&] {
    const HeaderBody::Layout layout = {1, command_bytes, crc_over};
    return std::make_unique<HeaderBody>(layout, fuzz::kMaxBody);
  };
  fuzz::CheckSplits(input, make, policy, control);
  return 0;
}
