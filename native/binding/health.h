// The model of health, as JavaScript reads and sets it: numbers in a Float64Array, durations in
// milliseconds. lib/health/words.ts names the places.
#pragma once

#include <node_api.h>

#include <memory>
#include <span>
#include <vector>

#include "health/figures.h"
#include "health/options.h"

namespace spliceway {

// All of them, in ranges that lib/health has checked.
std::shared_ptr<const HealthOptions> HealthOptionsIn(std::span<const double> words);

// `now`: on the clock of the monitor.
void PutFigures(const HealthFigures& figures, int64_t now, std::span<double> words);

// An array of objects, in order; undefined for none.
napi_value TransitionsOf(napi_env env, const std::vector<Transition>& transitions, int64_t now);

}  // namespace spliceway
