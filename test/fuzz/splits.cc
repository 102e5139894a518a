#include "fuzz/splits.h"

#include <algorithm>
#include <cstdlib>

#include "support/frames.h"

namespace spliceway::fuzz {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

// Everything that must not depend on the cuts.
void RequireSame(const test::Feeder& one, const test::Feeder& other) {
  Require(one.frames() == other.frames());
  Require(one.fault() == other.fault());
  Require(one.decoder().position() == other.decoder().position());
  Require(one.decoder().bad_frames() == other.decoder().bad_frames());
  Require(one.decoder().skipped() == other.decoder().skipped());
}

}  // namespace

size_t Input::Number(size_t most) {
  if (left_.empty()) return 0;
  const size_t number = left_[0] % (most + 1);
  left_ = left_.subspan(1);
  return number;
}

void CheckSplits(Input input, const MakeFraming& make, Decoder::Policy policy, uint32_t control) {
  const size_t piece = 1 + input.Number(40);
  const std::string stream(input.Rest().begin(), input.Rest().end());
  test::Feeder whole(make(), policy, control);
  if (whole.Feed(stream)) whole.Finish();
  for (const size_t size : {size_t{1}, piece}) {
    test::Feeder cut(make(), policy, control);
    if (cut.FeedInPieces(stream, size)) cut.Finish();
    RequireSame(whole, cut);
    Require(cut.store_size() <= std::max<size_t>(512, 4 * stream.size()));
  }
}

}  // namespace spliceway::fuzz
