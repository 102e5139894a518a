#include "binding/health.h"

#include <limits>
#include <string>

#include "binding/args.h"
#include "binding/functions.h"
#include "health/monitor.h"

namespace spliceway {
namespace {

constexpr double kNsPerMs = 1e6;

int64_t Ns(double ms) { return static_cast<int64_t>(ms * kNsPerMs); }
double Ms(int64_t ns) { return static_cast<double>(ns) / kNsPerMs; }

// Hands out one word after the other.
class Reader {
 public:
  explicit Reader(std::span<const double> words) : words_(words) {}

  double Next() { return at_ < words_.size() ? words_[at_++] : 0; }
  int64_t NextNs() { return Ns(Next()); }
  bool NextBool() { return Next() != 0; }

 private:
  std::span<const double> words_;
  size_t at_ = 0;
};

class Writer {
 public:
  explicit Writer(std::span<double> words) : words_(words) {}

  Writer& Put(double value) {
    if (at_ < words_.size()) words_[at_++] = value;
    return *this;
  }
  Writer& PutNs(int64_t ns) { return Put(Ms(ns)); }
  Writer& PutCount(uint64_t count) { return Put(static_cast<double>(count)); }

 private:
  std::span<double> words_;
  size_t at_ = 0;
};

}  // namespace

std::shared_ptr<const HealthOptions> HealthOptionsIn(std::span<const double> words) {
  Reader in(words);
  HealthOptions o;
  o.interval = in.NextNs();
  o.jitter = in.Next();
  o.rtt_weight = in.Next();
  o.reply_factor = in.Next();
  o.k = in.Next();
  o.reply_floor = in.NextNs();
  o.reply_cap = in.NextNs();
  o.degraded_after = static_cast<int>(in.Next());
  o.stalled_after = in.NextNs();
  o.late_after = in.NextNs();
  o.success_weight = in.Next();
  o.rtt_shift_weight = in.Next();
  o.loss_weight = in.Next();
  o.shift_sigmas = in.Next();
  o.shift_least = in.NextNs();
  o.shift_windows = static_cast<int>(in.Next());
  o.loss_threshold = in.Next();
  o.healing_below = in.Next();
  return std::make_shared<const HealthOptions>(o);
}

void PutFigures(const HealthFigures& f, int64_t now, std::span<double> words) {
  Writer out(words);
  out.Put(static_cast<double>(f.health)).Put(f.healing).Put(f.probing);
  out.Put(f.score).Put(f.success).Put(f.rtt_shifted);
  out.Put(f.loss).Put(f.ping_loss).Put(f.segment_loss);
  out.PutNs(f.interval).PutNs(f.reply_timeout);
  out.PutNs(f.rtt).PutNs(f.rtt_median).PutNs(f.rtt_iqr);
  out.PutNs(f.baseline_mean).PutNs(f.baseline_sigma).Put(f.shifted_windows);
  out.Put(f.failures).PutNs(now - f.silent_since).PutNs(f.stuck_for);
  out.PutCount(f.sent).PutCount(f.answered).PutCount(f.missed).PutCount(f.late);
  out.PutCount(f.late_turns);
}

namespace {

napi_value Text(napi_env env, const std::string& text) {
  napi_value out = nullptr;
  napi_create_string_utf8(env, text.data(), text.size(), &out);
  return out;
}

napi_value TransitionOf(napi_env env, const Transition& t, int64_t now) {
  napi_value out = nullptr;
  napi_create_object(env, &out);
  napi_set_named_property(env, out, "from", Number(env, int64_t{static_cast<int>(t.from)}));
  napi_set_named_property(env, out, "to", Number(env, int64_t{static_cast<int>(t.to)}));
  napi_set_named_property(env, out, "healing", Boolean(env, t.healing));
  napi_set_named_property(env, out, "reason", Text(env, Words(t)));
  napi_set_named_property(env, out, "ago", Number(env, Ms(now - t.at)));
  return out;
}

}  // namespace

napi_value TransitionsOf(napi_env env, const std::vector<Transition>& transitions, int64_t now) {
  if (transitions.empty()) return nullptr;
  napi_value out = nullptr;
  napi_create_array_with_length(env, transitions.size(), &out);
  for (size_t i = 0; i < transitions.size(); ++i) {
    napi_set_element(env, out, static_cast<uint32_t>(i), TransitionOf(env, transitions[i], now));
  }
  return out;
}

namespace {

// makeMonitor(options, now, seed): an object for the calls below. Instants: ms on any clock that
// never goes back
napi_value MakeMonitor(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  return Wrap(env, std::make_unique<Monitor>(HealthOptionsIn(args.Doubles(0)), Ns(args.Number(1)),
                                             args.Word(2)));
}

// advanceMonitor(monitor, now): whether it is time for a look at the stream
napi_value AdvanceMonitor(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  Monitor* monitor = args.Wrapped<Monitor>(0);
  return Boolean(env, monitor != nullptr && monitor->Advance(Ns(args.Number(1))).ping);
}

// sampleMonitor(monitor, sample, now)
napi_value SampleMonitor(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  Monitor* monitor = args.Wrapped<Monitor>(0);
  if (monitor == nullptr) return nullptr;
  Reader in(args.Doubles(1));
  PathSample sample;
  sample.rtt = in.NextNs();
  sample.deviation = in.NextNs();
  sample.sent = static_cast<uint64_t>(in.Next());
  sample.resent = static_cast<uint64_t>(in.Next());
  sample.awaiting = in.NextBool();
  sample.overdue = in.NextBool();
  sample.gone = in.NextBool();
  sample.heard_ago = in.NextNs();
  monitor->OnSample(sample, Ns(args.Number(2)));
  return nullptr;
}

// monitorDue(monitor): when to advance it; Infinity once it is lost
napi_value MonitorDue(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  const Monitor* monitor = args.Wrapped<Monitor>(0);
  const int64_t due = monitor == nullptr ? kNever : monitor->NextDue();
  return Number(env, due == kNever ? std::numeric_limits<double>::infinity() : Ms(due));
}

// setMonitorInterval(monitor, interval, now)
napi_value SetMonitorInterval(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  Monitor* monitor = args.Wrapped<Monitor>(0);
  if (monitor != nullptr) monitor->SetInterval(Ns(args.Number(1)), Ns(args.Number(2)));
  return nullptr;
}

// monitorFigures(monitor, words, now)
napi_value MonitorFigures(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  const Monitor* monitor = args.Wrapped<Monitor>(0);
  if (monitor != nullptr) PutFigures(monitor->figures(), Ns(args.Number(2)), args.Doubles(1));
  return nullptr;
}

// takeTransitions(monitor, now): what changed since the last call
napi_value TakeTransitions(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  Monitor* monitor = args.Wrapped<Monitor>(0);
  if (monitor == nullptr) return nullptr;
  return TransitionsOf(env, monitor->TakeTransitions(), Ns(args.Number(1)));
}

}  // namespace

std::span<const Function> HealthFunctions() {
  static constexpr Function kFunctions[] = {
      {"makeMonitor", MakeMonitor},
      {"advanceMonitor", AdvanceMonitor},
      {"sampleMonitor", SampleMonitor},
      {"monitorDue", MonitorDue},
      {"setMonitorInterval", SetMonitorInterval},
      {"monitorFigures", MonitorFigures},
      {"takeTransitions", TakeTransitions},
  };
  return kFunctions;
}

}  // namespace spliceway
