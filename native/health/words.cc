// What happened, for people.
#include <cstdio>

#include "health/figures.h"

namespace spliceway {
namespace {

template <typename... Values>
std::string Format(const char* format, Values... values) {
  char text[128];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

double Milliseconds(double ns) { return ns / 1e6; }

}  // namespace

std::string Words(const Transition& t) {
  switch (t.cause) {
    case Cause::kMisses:
      return Format("%.0f replies in a row were not there after %.0f ms", t.value,
                    Milliseconds(t.limit));
    case Cause::kUnacknowledged:
      return Format("at %.0f looks in a row the peer had not acknowledged what it was sent",
                    t.value);
    case Cause::kReplies: return "as many replies came in time as had been missed";
    case Cause::kStuck:
      return Format("the peer's JavaScript has been stuck for %.0f ms; its I/O thread answers",
                    Milliseconds(t.value));
    case Cause::kRunning: return "the peer's JavaScript runs again";
    case Cause::kSilence: return Format("nothing was heard for %.0f ms", Milliseconds(t.value));
    case Cause::kGone: return "the connection was reset, or given up by the kernel";
    case Cause::kScore: return Format("the score fell to %.2f, below %.2f", t.value, t.limit);
    case Cause::kScoreRecovered: return Format("the score rose to %.2f again", t.value);
  }
  return "";
}

}  // namespace spliceway
