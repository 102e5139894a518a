// The header parser: what it takes for a frame is one, and nothing else is.
#include <cstdlib>
#include <string>

#include "codec/header_body.h"
#include "fuzz/splits.h"
#include "support/frames.h"

using namespace spliceway;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const size_t command_bytes = 1 + input.Number(1);
  const size_t crc_over = 8 + input.Number(command_bytes - 1);
  const HeaderBody framing({1, command_bytes, crc_over}, fuzz::kMaxBody);
  std::string bytes(input.Rest().begin(), input.Rest().end());
  if (bytes.empty()) return 0;
  // With its CRC made right, so that the rest is reached.
  framing.Seal({reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
  const Look look = framing.At(test::BytesOf(bytes), 0);
  const size_t next = framing.NextStart(test::BytesOf(bytes));
  if (next == 0 || next > bytes.size()) std::abort();
  if (look.kind == Look::Kind::kMore && look.size <= bytes.size()) std::abort();
  if (look.kind != Look::Kind::kFrame) return 0;
  const auto body = std::string_view(bytes).substr(look.body, look.length);
  const auto made = test::HeaderBodyFrame(look.command, body, command_bytes, crc_over);
  if (bytes.compare(0, look.size, made) != 0) std::abort();
  return 0;
}
