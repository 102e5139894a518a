// Options and figures of health as numbers, in the order of lib/binding.ts. Durations are in
// milliseconds.
#pragma once

#include <span>

#include "health/figures.h"
#include "health/options.h"

namespace spliceway {

// What is NaN, or not there, has its default.
HealthOptions HealthOptionsFrom(std::span<const double> values);

// As many as there is room for.
void PutFigures(const HealthFigures& figures, std::span<double> values);

}  // namespace spliceway
