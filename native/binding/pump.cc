// Forwarding bytes natively while the waiting, and the order among waiting calls, stay
// JavaScript's.
#include "binding/pump.h"

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "core/stream.h"
#include "sys/socket.h"

namespace spliceway {
namespace {

constexpr auto kSourceEmpty = static_cast<int32_t>(Pump::Status::kSourceEmpty);
constexpr auto kSinkFull = static_cast<int32_t>(Pump::Status::kSinkFull);
constexpr auto kMore = static_cast<int32_t>(Pump::Status::kMore);
// What runPump answers besides a Pump::Status: the source or the sink refuses the call.
constexpr int32_t kSourceRefused = 6;
constexpr int32_t kSinkRefused = 7;

// Empty for a descriptor of -1, which stands for a stream.
Result<OwnFd> FileAt(int fd) {
  if (fd < 0) return OwnFd();
  return sys::Duplicate(fd);
}

// openPump(sourceFile, sinkFile, limit): its id. -1 for an end that is a stream; limit < 0: none
napi_value OpenPump(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  auto source = FileAt(args.Int(0));
  if (!source.ok()) return ThrowError(env, source.error());
  auto sink = FileAt(args.Int(1));
  if (!sink.ok()) return ThrowError(env, sink.error());
  const auto kind = [](const OwnFd& file) {
    return file ? Pump::Kind::kFile : Pump::Kind::kSocket;
  };
  Pump pump(&args.environment().pipes(), kind(source.value()), kind(sink.value()));
  if (const double limit = args.Number(2); limit >= 0) pump.SetLimit(static_cast<uint64_t>(limit));
  auto handle = std::make_unique<PumpHandle>(std::move(source.value()), std::move(sink.value()),
                                             std::move(pump));
  SlotName name;
  if (!args.environment().pumps().Insert(std::move(handle), &name)) {
    return ThrowError(env, Error{"pipe2", ENFILE});
  }
  return Number(env, int64_t{name.id()});
}

// putFirst(id, bytes): they come before those of the source
napi_value PutFirst(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  PumpHandle* handle = args.environment().pumps().FindId(args.Int(0));
  if (handle != nullptr) handle->pump.PutFirst(args.Bytes(1));
  return nullptr;
}

// closePump(id)
napi_value ClosePump(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  args.environment().pumps().RemoveId(args.Int(0));
  return nullptr;
}

// pumpDelivered(id): bytes that the sink has taken so far
napi_value PumpDelivered(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  const PumpHandle* handle = args.environment().pumps().FindId(args.Int(0));
  return Number(env, handle == nullptr ? 0.0 : static_cast<double>(handle->pump.delivered()));
}

// One end of a pump: a stream of ours, or a file's descriptor.
struct End {
  Stream* stream = nullptr;
  int fd = -1;
};

template <size_t N>
End EndAt(const Args<N>& args, size_t i, const OwnFd& file) {
  if (file) return {nullptr, file.get()};
  Stream* stream = args.template Handle<Stream>(i);
  return {stream, stream == nullptr ? -1 : stream->fd()};
}

int32_t Refusal(const End& end, Side side, bool awaited) {
  if (end.fd < 0) return kClosed;
  if (end.stream == nullptr) return 0;
  return end.stream->Begin(side, awaited ? Call::kResumed : Call::kNew);
}

// A source past its deadline gives nothing more; what it gave before is delivered first.
int32_t Run(Pump* pump, const End& source, const End& sink, int32_t source_refused) {
  if (source_refused == 0) return static_cast<int32_t>(pump->Run(source.fd, sink.fd));
  const auto stop = pump->Drain(sink.fd);
  return stop ? static_cast<int32_t>(*stop) : kSourceRefused;
}

// Asks for the notice after which running again is worth it.
int32_t AwaitNext(int32_t status, const End& source, const End& sink) {
  if (status == kSourceEmpty) {
    source.stream->ReadBlocked();
    source.stream->SetAwait(Side::kRead, Await::kOnce);
  } else if (status == kSinkFull) {
    if (const Status s = sink.stream->WriteBlocked(); !s.ok()) return -s.error().number;
    sink.stream->SetAwait(Side::kWrite, Await::kOnce);
  } else if (status == kMore) {
    // Not left to an edge: what the pump has on its way may be the last that there is.
    const bool reads = source.stream != nullptr;
    (reads ? source : sink).stream->TellNextTurn(reads ? Side::kRead : Side::kWrite);
  }
  return 0;
}

// runPump(id, source, sink, last): a Pump::Status, kSourceRefused or kSinkRefused. The scratch
// buffer then starts with the reason as an int32: a negative errno or a code of core/status.h.
// `last` is what the run before answered; 0 for none. At the end that it waited for data beats a
// deadline, while at the other one this is a new call.
napi_value RunPump(napi_env env, napi_callback_info info) {
  const Args<4> args(env, info);
  auto* reason = reinterpret_cast<int32_t*>(args.environment().scratch());
  PumpHandle* handle = args.environment().pumps().FindId(args.Int(0));
  if (handle == nullptr) {
    *reason = kClosed;
    return Number(env, int64_t{kSourceRefused});
  }
  const End source = EndAt(args, 1, handle->source_file);
  const End sink = EndAt(args, 2, handle->sink_file);
  const int32_t last = args.Int(3);
  if ((*reason = Refusal(sink, Side::kWrite, last == kSinkFull)))
    return Number(env, int64_t{kSinkRefused});
  const int32_t refused = Refusal(source, Side::kRead, last == kSourceEmpty);
  const int32_t status = Run(&handle->pump, source, sink, refused);
  *reason = status == kSourceRefused ? refused : -handle->pump.error();
  if (const int32_t failed = AwaitNext(status, source, sink)) {
    *reason = failed;
    return Number(env, int64_t{kSinkRefused});
  }
  args.environment().SyncRef();
  return Number(env, int64_t{status});
}

}  // namespace

std::span<const Function> PumpFunctions() {
  static constexpr Function kFunctions[] = {
      {"openPump", OpenPump},           {"putFirst", PutFirst}, {"closePump", ClosePump},
      {"pumpDelivered", PumpDelivered}, {"runPump", RunPump},
  };
  return kFunctions;
}

}  // namespace spliceway
