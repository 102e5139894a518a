// What one direction of a chaos proxy does to the bytes that pass.
#pragma once

#include <cstdint>

namespace spliceway {

struct Impairment {
  int64_t delay_ns = 0;
  int64_t jitter_ns = 0;      // each segment is early or late by so much at most
  double loss = 0;            // the chance of a segment to be lost, each time it is sent
  int64_t retransmit_ns = 0;  // how long a lost one takes longer; doubled for each further loss
  uint64_t bandwidth = 0;     // bytes a second; 0: as fast as it goes
  uint32_t slice = 0;         // the most bytes that are written at once; 0: what there is
  int64_t slice_gap_ns = 0;   // between two such writes
  bool black_hole = false;    // nothing comes out, be it bytes, FIN or reset
};

}  // namespace spliceway
