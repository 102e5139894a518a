// A processor without instructions that we know of.
#include "codec/crc32_step.h"

namespace spliceway {

Crc32Step Crc32InHardware() { return nullptr; }

}  // namespace spliceway
